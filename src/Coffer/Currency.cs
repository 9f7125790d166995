namespace Coffer;

/// <summary>One currency as the operator's file describes it (contract 1 and 5). All amounts are integers of its smallest unit.</summary>
public sealed record Currency
{
    /// <summary>Token and network suffix in upper case, e.g. <c>USDTERC20</c>; <c>[A-Z0-9]{2,20}</c>.</summary>
    public required string Code
    {
        get;
        init => (field, CodeLower) = (value, value.ToLowerInvariant());
    }

    /// <summary>The display name, e.g. <c>Tether USD</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The short name of the network, e.g. <c>ETH</c>, <c>TRX</c>, <c>BTC</c>.</summary>
    public required string Network { get; init; }

    /// <summary>The token's symbol on its network, e.g. <c>USDT</c>; the network's coin for native currencies.</summary>
    public required string Token { get; init; }

    /// <summary>Digits after the point, 0 to 30.</summary>
    public required int Decimals { get; init; }

    /// <summary>The token's contract address; null for a network's own coin.</summary>
    public string? Contract { get; init; }

    /// <summary>
    /// Blocks that a deposit needs before it is available, its own included, when it should be final and the chain does not say what is:
    /// more than two epochs of Ethereum and beyond the depth at which BSC, Tron and Bitcoin count as settled.
    /// </summary>
    public const int ConfirmationsWithoutFinality = 64;

    /// <summary>
    /// Blocks a deposit needs, its own included, before it is available; at least 1. With <see cref="Finalized"/> only what counts on a
    /// chain that does not say what is final.
    /// </summary>
    public required int Confirmations { get; init; }

    /// <summary>A deposit is available once the chain itself says that its block is final (the file's word <c>finalized</c>).</summary>
    public bool Finalized { get; init; }

    /// <summary>Deposits below this are not credited; smallest units, at least 0.</summary>
    public Int128 DepositMinimum { get; init; }

    /// <summary>Taken from each deposit when it is confirmed, never more than the deposit; smallest units, at least 0.</summary>
    public Int128 DepositFee { get; init; }

    /// <summary>Withdrawals below this are refused; smallest units, at least 0.</summary>
    public Int128 WithdrawalMinimum { get; init; }

    /// <summary>One withdrawal pays at most this; smallest units, at least <see cref="WithdrawalMinimum"/>; null for no limit.</summary>
    public Int128? WithdrawalMaximum { get; init; }

    /// <summary>All withdrawals of an account in one UTC day pay at most this; smallest units; null for no limit.</summary>
    public Int128? WithdrawalDayMaximum { get; init; }

    /// <summary>A withdrawal of more than this waits for an approval; smallest units, at least 0; null: none does.</summary>
    public Int128? ApprovalAbove { get; init; }

    /// <summary>The flat part of the platform's fee on each withdrawal (<c>transaction_fee</c>); smallest units, at least 0.</summary>
    public Int128 WithdrawalFee { get; init; }

    /// <summary>The proportional part of it: thousandths of the amount that is asked for, rounded up; 0 to 1000.</summary>
    public int WithdrawalFeePerMille { get; init; }

    /// <summary>
    /// The network's fee charged on each withdrawal (<c>network_fee</c>) when it is fixed; smallest units, at least 0. Zero when it is
    /// estimated.
    /// </summary>
    public Int128 NetworkFee { get; init; }

    /// <summary>How the network's fee is estimated; null when <see cref="NetworkFee"/> is charged.</summary>
    public EstimatedFee? NetworkFeeEstimate { get; init; }

    /// <summary>Who bears what the network takes less or more than was charged.</summary>
    public NetworkFeeBearer NetworkFeeBearer { get; init; }

    /// <summary>A price older than this counts as unknown; null for no limit.</summary>
    public TimeSpan? PriceAgeMax { get; init; }

    /// <summary>The price the file gives to start with, US dollars for one whole unit; null for none.</summary>
    public UsdPrice? Price { get; init; }

    /// <summary>The code as <c>/wallets/balances</c> writes it.</summary>
    public string CodeLower { get; private init; } = "";
}

/// <summary>Who bears the difference between the network fee that was charged and the one that was paid.</summary>
public enum NetworkFeeBearer
{
    /// <summary>The operator: the customer pays what he was told.</summary>
    House,

    /// <summary>The customer: he pays what the network took, never more than he was told. For a network's own coin only.</summary>
    Customer,
}
