using System.Globalization;
using Coffer.Server.Events;
using Coffer.Server.Sql;

namespace Coffer.Server.Payments;

/// <summary>
/// Tells accounts when a payment of theirs stands otherwise than they were told: another status, or other amounts. Called by a worker; any
/// number of processes may do it at once.
///
/// Whoever writes down that something came, was confirmed or is gone marks the payment in the same transaction; the time of its end is
/// marked when it is made. Here the mark is taken, the event written and what it says kept, in one transaction.
///
/// Guarantees: each time a payment changes, its account is told where it stands then, in order, and never twice the same; of changes that
/// follow each other at once only the last may be told. If the process dies here: the mark is still there, and nothing was told.
/// </summary>
internal sealed partial class TellPayments(Db db, ViewPayments views, Currencies currencies, TimeProvider time, ILogger log)
{
    /// <summary>The pause between two looks.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>What counts as told of a payment that was just made.</summary>
    public const string NothingTold = "waiting 0 0 0";

    /// <summary>Payments looked at in one transaction.</summary>
    private const int LookedAtMax = 100;

    /// <summary>A payment that cannot be shown is looked at again after this, so that it does not stop the others.</summary>
    private static readonly TimeSpan _againAfter = TimeSpan.FromMinutes(1);

    /// <summary>Tells everything that is due.</summary>
    public async Task Run(CancellationToken ct)
    {
        while (await db.Transaction(Some, ct, repeatable: true) == LookedAtMax)
        {
        }
    }

    /// <summary>What makes one event of a payment another one than the last.</summary>
    public static string Told(PaymentStanding standing) => string.Create(CultureInfo.InvariantCulture,
        $"{PaymentJson.Word(standing.Status)} {standing.Confirmed} {standing.Pending} {standing.Late}");

    private async Task<int> Some(Tx tx, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var untold = await tx.LockUntold(now, LookedAtMax, ct);
        var looked = new List<(UntoldPayment, string, DateTimeOffset?)>();
        var news = new List<(short, NewEvent)>();
        foreach (var one in untold)
        {
            // Read after the lock, so that it sees what was marked; what is marked from now on is looked at again.
            if (await Look(one, now, ct) is not { } seen)
            {
                looked.Add((one, one.Told, now + _againAfter));
                continue;
            }

            looked.Add((one, seen.Told, now <= seen.EndsAt ? seen.EndsAt : null));
            if (seen.Told != one.Told)
                news.Add((one.Shard, seen.Event));
        }

        if (looked.Count > 0)
            await tx.KeepTold(looked, ct);
        await tx.Write(news, ct);
        return untold.Count;
    }

    /// <summary>Where it stands and what would be told of it; null when it cannot be shown.</summary>
    private async Task<(string Told, DateTimeOffset EndsAt, NewEvent Event)?> Look(UntoldPayment one, DateTimeOffset now, CancellationToken ct)
    {
        try
        {
            if (await db.FindPayment(one.Account, one.Shard, one.Id, ct) is not { } payment)
                return null;
            var view = await views.Of(one.Account, payment, ct);
            return (Told(view.Standing), payment.ExpiresAt, Event(one.Account, view, now));
        }
        catch (Exception fault) when (fault is InvalidOperationException or KeyNotFoundException)
        {
            // Its address is not what its key gives, or its currency is in the file no more: it must not stop the others.
            NotTold(log, fault, one.Id);
            return null;
        }
    }

    private NewEvent Event(AccountId account, PaymentView view, DateTimeOffset now) =>
        NewEvent.Of(account, now, EventType.PaymentUpdated, json => json.Write(view, currencies, deposits: false)) with
        {
            CallbackUrl = view.Payment.CallbackUrl,
        };

    [LoggerMessage(70, LogLevel.Error, "Nobody is told of payment {Payment}; it is tried again")]
    private static partial void NotTold(ILogger log, Exception fault, Guid payment);
}
