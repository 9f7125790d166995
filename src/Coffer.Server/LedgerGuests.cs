using Coffer.Server.Alerts;
using Coffer.Server.Chain;
using Coffer.Server.Ledger;
using Coffer.Server.Withdrawals;

namespace Coffer.Server;

/// <summary>Who takes part in every ledger transaction of the product, in the order in which they take their locks.</summary>
internal static class LedgerGuests
{
    public static ILedgerGuest[] All(TimeProvider time) =>
        [new WithdrawalGuest(), new PolicyGuest(), new DepositGuest(), new AlertGuest(time)];
}
