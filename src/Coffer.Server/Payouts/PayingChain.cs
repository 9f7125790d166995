using Coffer.Chains;
using Coffer.Chains.Payouts;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Payouts;

/// <summary>Asks whoever holds the keys. A <see cref="ChainFault"/> when no answer came: the bytes may be signed then.</summary>
internal delegate Task<SigningAnswer> AskSigner(SigningRequest request, CancellationToken ct);

/// <summary>One chain on which this process pays withdrawals.</summary>
internal sealed record PayingChain
{
    /// <summary>The chain.</summary>
    public required IChain Chain { get; init; }

    /// <summary>How its transactions are written.</summary>
    public required IPayouts Payouts { get; init; }

    /// <summary>Who signs; null when it is done by hand, with <c>coffer withdrawal export</c> and <c>import</c>.</summary>
    public required AskSigner? Signer { get; init; }

    /// <summary>The currencies that it pays, by their code, with their <see cref="ChainTransfer.Asset"/>.</summary>
    public required IReadOnlyDictionary<string, (Currency Currency, string? Asset)> Assets { get; init; }

    /// <summary>The most that one transaction may cost, in smallest units of the chain's coin.</summary>
    public required Int128 FeeMax { get; init; }

    /// <summary>Payouts that may be open at once.</summary>
    public required int InFlightMax { get; init; }

    /// <summary>Withdrawals in one transaction.</summary>
    public int BatchMax { get; init; } = 1;

    /// <summary>How long a payout may be in no block before a higher fee is offered.</summary>
    public required TimeSpan BumpAfter { get; init; }

    /// <summary>The first pause before bytes whose arrival is not proven are sent again; doubles with every try.</summary>
    public required TimeSpan SendAgainAfter { get; init; }

    public string Id => Chain.Id;

    /// <summary>Whether it pays with coins (Bitcoin); the others pay from a balance.</summary>
    public bool UsesCoins => Payouts.Change(0) is not null;

    /// <summary>What a withdrawal's transaction has to pay.</summary>
    public PayoutOutput OutputOf(Withdrawal withdrawal) => new(withdrawal.Address, AssetOf(withdrawal).Asset, withdrawal.Amount);

    public (Currency Currency, string? Asset) AssetOf(Withdrawal withdrawal) => Assets.TryGetValue(withdrawal.Currency, out var asset)
        ? asset
        : throw new InvalidOperationException(
            $"{withdrawal.Currency} has withdrawals that are not finished; put it back into the currency file.");
}
