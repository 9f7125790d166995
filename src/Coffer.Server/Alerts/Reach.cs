using System.Numerics;
using Coffer.Ledger;

namespace Coffer.Server.Alerts;

/// <summary>What commands may do to what is available, known before they are decided.</summary>
/// <param name="Debit">At most so much is taken; smallest units.</param>
/// <param name="Credits">Whether something may be added.</param>
internal readonly record struct Reach(BigInteger Debit, bool Credits)
{
    /// <summary>Whether it may change at all.</summary>
    public bool MovesAvailable => Credits || Debit > 0;

    public static Reach Of(Command command) => command switch
    {
        RequestWithdrawal request => new((BigInteger)request.Amount + request.Fee, false),
        Transfer transfer => new(transfer.Amount, true),
        Correct correct when correct.Amount < 0 => new(-(BigInteger)correct.Amount, false),
        // How much was received, only its movement knows.
        DepositReversed => new(Amount.Max, false),
        Correct or DepositConfirmed or FailWithdrawal or SettleWithdrawal { Fee: not null } => new(0, true),
        DepositSeen or SettleWithdrawal or UnsettleWithdrawal => default,
        _ => throw new ArgumentOutOfRangeException(nameof(command), command.GetType().Name, "Nobody has said what this command may do."),
    };

    public static Reach operator +(Reach one, Reach other) => new(one.Debit + other.Debit, one.Credits || other.Credits);
}
