namespace Coffer.Server.Events;

/// <summary>What an event can be about (contract 6).</summary>
internal static class EventType
{
    public const string DepositReceived = "deposit.received";
    public const string DepositConfirmed = "deposit.confirmed";
    public const string DepositReversed = "deposit.reversed";
    public const string PaymentUpdated = "payment.updated";
    public const string WithdrawalUpdated = "withdrawal.updated";
    public const string BalanceLow = "balance.low";
    public const string BalanceRecovered = "balance.recovered";
    public const string EndpointPing = "endpoint.ping";
    public const string EndpointDisabled = "endpoint.disabled";

    /// <summary>All of them, in the order of the contract.</summary>
    public static readonly IReadOnlyList<string> All =
    [
        DepositReceived, DepositConfirmed, DepositReversed, PaymentUpdated, WithdrawalUpdated, BalanceLow, BalanceRecovered, EndpointPing,
        EndpointDisabled,
    ];
}
