using System.Numerics;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Alerts;

/// <summary>
/// Makes, changes and deletes alerts. Called by the API. What an alert says from the first moment on is what the ledger's transactions before
/// its own came to: they are waited for, and later ones see it. A change by the owner is no crossing and tells nothing; the answer says how
/// the alert stands. Each is one transaction that may be run again.
/// </summary>
internal sealed class ChangeAlerts(Db db, Ids ids, TimeProvider time)
{
    /// <summary>Watches a wallet's available balance, or the account's.</summary>
    public Task<Guid> Create(short shard, AlertKey key, WalletId? wallet, Int128 threshold, Int128? recovery, CancellationToken ct)
    {
        var id = ids.New();
        return db.Transaction(async (tx, token) =>
        {
            await tx.CloseAlertGate(shard, token);
            var mine = await tx.Alerts(shard, key.Account, token);
            if (mine.Exists(alert => alert.Id == id))
                return id;
            if (mine.Count >= Alert.CountMax)
            {
                throw new Refused(new(RefusalCode.LimitExceeded,
                    $"An account has at most {Alert.CountMax} alerts. Change or delete one that is there."));
            }

            if (mine.Find(alert => alert.Currency == key.Currency && alert.Wallet == wallet && alert.Threshold == threshold) is { } same)
                throw new Refused(Same(same));
            var available = await tx.Available(shard, key, wallet, token);
            var now = Now();
            await tx.InsertAlert(shard, new Alert(key.Account, key.Currency, id, wallet, threshold,
                recovery ?? LowBalance.RecoveryUsual(threshold), recovery is null, LowBalance.First(available, threshold), now,
                wallet is null ? available : null, now, now), token);
            return id;
        }, ct, repeatable: true);
    }

    /// <summary>Other thresholds, those that are null as they were; a recovery threshold that nobody named goes on following the threshold.</summary>
    public Task Change(short shard, AccountId account, Guid id, Int128? threshold, Int128? recovery, CancellationToken ct) =>
        db.Transaction(async (tx, token) =>
        {
            var before = await tx.LockAlert(shard, account, id, token) ?? throw new Refused(Refusal.NotFound("alert"));
            var key = new AlertKey(account, before.Currency);
            // A ledger transaction that moved the balance has committed, or waits for the row.
            BigInteger available = before.Sum ?? await tx.Available(shard, key, before.Wallet, token);
            var limit = threshold ?? before.Threshold;
            var usual = before.RecoveryIsUsual && recovery is null;
            var back = recovery ?? (usual ? LowBalance.RecoveryUsual(limit) : before.Recovery);
            CheckRecovery(limit, back);
            if (limit != before.Threshold && (await tx.Alerts(shard, account, token)).Find(alert => alert.Id != id
                && alert.Currency == before.Currency && alert.Wallet == before.Wallet && alert.Threshold == limit) is { } same)
                throw new Refused(Same(same));
            var state = LowBalance.Next(before.State, available, limit, back);
            var now = Now();
            await tx.UpdateAlert(shard, before with
            {
                Threshold = limit,
                Recovery = back,
                RecoveryIsUsual = usual,
                State = state,
                StateSince = state == before.State ? before.StateSince : now,
                UpdatedAt = now,
            }, token);
        }, ct, repeatable: true);

    /// <summary>Watches no longer.</summary>
    public async Task Delete(short shard, AccountId account, Guid id, CancellationToken ct)
    {
        if (!await db.Transaction((tx, token) => tx.DeleteAlert(shard, account, id, token), ct))
            throw new Refused(Refusal.NotFound("alert"));
    }

    /// <summary>Refuses a recovery threshold that would be reached before the balance is low.</summary>
    public static void CheckRecovery(Int128 threshold, Int128? recovery)
    {
        if (recovery < threshold)
            throw new Refused(Refusal.Parameter("recovery_threshold", "Send at least the threshold, or leave it out for 110 % of it."));
    }

    private DateTimeOffset Now()
    {
        var ticks = time.GetUtcNow().UtcTicks;
        return new DateTimeOffset(ticks - (ticks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
    }

    private static Refusal Same(Alert alert) => new(RefusalCode.Conflict,
        "There is an alert on this balance with this threshold already. Change that one, or send another threshold.",
        new Dictionary<string, object> { ["alert_id"] = alert.Id.ToString() });
}
