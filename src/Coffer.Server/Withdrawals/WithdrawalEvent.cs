using Coffer.Server.Events;

namespace Coffer.Server.Withdrawals;

/// <summary>What an account is told of a withdrawal: that it was made, and each time that its status or its transaction is another one.</summary>
internal static class WithdrawalEvent
{
    public static NewEvent Of(Withdrawal row, Currency currency) =>
        NewEvent.Of(row.Account, row.UpdatedAt, EventType.WithdrawalUpdated, json => json.Write(row, currency, confirmations: null)) with
        {
            CallbackUrl = row.CallbackUrl,
        };
}
