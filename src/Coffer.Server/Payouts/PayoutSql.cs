using Coffer.Chains.Payouts;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Payouts;

/// <summary>The statements that write payouts, their attempts and the hot wallets' numbers, the only ones; see <c>0012_payouts.sql</c>.</summary>
internal static class PayoutSql
{
    /// <summary>Begins to count the payouts of a chain.</summary>
    public static Task AddHotWallet(this Tx tx, string chain, CancellationToken ct) =>
        tx.Do("INSERT INTO hot_wallet (chain, next_number) VALUES ($1, 0) ON CONFLICT DO NOTHING", ct, P(chain));

    /// <summary>The number of the next payout. Others who plan on this chain wait until the transaction ends.</summary>
    public static async Task<long> LockHotWallet(this Tx tx, string chain, CancellationToken ct)
    {
        await using var command = tx.Command("SELECT next_number FROM hot_wallet WHERE chain = $1 FOR UPDATE", P(chain));
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    public static Task SetNumber(this Tx tx, string chain, long number, CancellationToken ct) =>
        tx.Do("UPDATE hot_wallet SET next_number = $2 WHERE chain = $1", ct, P(chain), P(number));

    /// <summary>The chain has seen more transactions of this wallet than were planned here: somebody else has its key.</summary>
    public static Task SkipNumbers(this Tx tx, string chain, long from, long to, CancellationToken ct) => tx.Do("""
        UPDATE hot_wallet SET next_number = $3, foreign_use = CASE WHEN $2 = 0 AND foreign_use IS NULL
            AND NOT EXISTS (SELECT 1 FROM payout WHERE chain = $1) THEN NULL
            ELSE 'nonces ' || $2 || ' to ' || ($3 - 1) || ' were used by somebody else' END
        WHERE chain = $1
        """, ct, P(chain), P(from), P(to));

    public static async Task Store(this Tx tx, NewPayout made, CancellationToken ct)
    {
        var claim = made.Plan.Reading.Claim;
        await using var round = new Round(tx);
        round.Add("INSERT INTO payout (id, chain, state, nonce, expires_at, created_at, updated_at) VALUES ($1, $2, 1, $3, $4, $5, $5)",
            P(made.Id), P(made.Chain), P(claim.Nonce), P(claim.ExpiresAt?.UtcDateTime), P(made.Now.UtcDateTime));
        round.Add("""
            INSERT INTO payout_withdrawal (payout_id, ordinal, shard, account_id, withdrawal_id, live)
            SELECT $1, k.i - 1, k.shard, k.account_id, k.id, true
            FROM unnest($2::smallint[], $3::uuid[], $4::uuid[]) WITH ORDINALITY AS k(shard, account_id, id, i)
            """, P(made.Id), P(made.Withdrawals, w => w.Shard), P(made.Withdrawals, w => w.Account.Value), P(made.Withdrawals, w => w.Id.Value));
        AddAttempt(round, made.Id, 1, made.Plan, made.Now);
        await round.Write(ct);
    }

    /// <summary>One more transaction under the same claim; nothing when somebody else has stored one with this number.</summary>
    public static async Task AddAttempt(this Tx tx, Payout payout, int number, PayoutPlan plan, DateTimeOffset now, CancellationToken ct)
    {
        await using var round = new Round(tx);
        AddAttempt(round, payout.Id, number, plan, now);
        await round.Write(ct);
    }

    /// <summary>Keeps what the signer made, before anybody else sees it.</summary>
    public static async Task KeepSigned(
        this Tx tx, Payout payout, Attempt attempt, SignedPayout signed, Currencies currencies, DateTimeOffset now, CancellationToken ct)
    {
        var kept = await tx.Do("""
            UPDATE payout_attempt SET signed = $3, tx_id = $4, signed_at = $5 WHERE payout_id = $1 AND number = $2 AND signed IS NULL
            """, ct, P(payout.Id), P(attempt.Number), P(signed.Bytes), P(signed.TxId), P(now.UtcDateTime));
        if (kept > 0)
            await tx.Name(payout.Withdrawals, signed.TxId, currencies, now, ct);
    }

    /// <summary>Takes back a plan that the signer has refused; false when it was signed after all.</summary>
    public static async Task<bool> ForgetUnsigned(this Tx tx, Payout payout, Attempt attempt, CancellationToken ct) =>
        await tx.Do("DELETE FROM payout_attempt WHERE payout_id = $1 AND number = $2 AND signed IS NULL", ct,
            P(payout.Id), P(attempt.Number)) > 0;

    /// <summary>
    /// What it should have paid is payable again. Its nonce is given back when it is the last; else the payout stays open without
    /// withdrawals, until something that pays nothing has used it up.
    /// </summary>
    public static async Task Drop(this Tx tx, Payout payout, string waits, Currencies currencies, DateTimeOffset now, CancellationToken ct)
    {
        await tx.Release(payout, waits, currencies, now, ct);
        var number = await tx.LockHotWallet(payout.Chain, ct);
        if (payout.Nonce is { } nonce && number != nonce + 1)
            return;
        if (payout.Nonce is { } last)
            await tx.SetNumber(payout.Chain, last, ct);
        await tx.SetState(payout, PayoutState.Dropped, now, ct);
    }

    /// <summary>These are about to be sent; from here on they may be paid.</summary>
    public static Task MarkTried(this Tx tx, IReadOnlyList<Payout> payouts, DateTimeOffset now, CancellationToken ct) => tx.Do("""
        UPDATE payout_attempt a SET tried_at = $3, tries = a.tries + 1
        FROM unnest($1::uuid[], $2::integer[]) AS k(id, number) WHERE a.payout_id = k.id AND a.number = k.number
        """, ct, P(payouts, p => p.Id), P(payouts, p => p.LastSigned!.Number), P(now.UtcDateTime));

    /// <summary>A node has said that it has them.</summary>
    public static async Task MarkSent(
        this Tx tx, IReadOnlyList<Payout> payouts, Currencies currencies, DateTimeOffset now, CancellationToken ct)
    {
        await tx.Do("""
            UPDATE payout_attempt a SET sent_at = coalesce(a.sent_at, $3)
            FROM unnest($1::uuid[], $2::integer[]) AS k(id, number) WHERE a.payout_id = k.id AND a.number = k.number
            """, ct, P(payouts, p => p.Id), P(payouts, p => p.LastSigned!.Number), P(now.UtcDateTime));
        await tx.Submit([.. payouts.SelectMany(payout => payout.Withdrawals)], currencies, now, ct);
    }

    /// <summary>Nobody knows whether a node has them.</summary>
    public static Task Doubt(
        this Tx tx, IReadOnlyList<Payout> payouts, Currencies currencies, DateTimeOffset now, CancellationToken ct) =>
        tx.Doubt([.. payouts.SelectMany(payout => payout.Withdrawals)], null, currencies, now, ct);

    /// <summary>A human has to find out what became of it.</summary>
    public static Task Doubt(this Tx tx, Payout payout, string reason, Currencies currencies, DateTimeOffset now, CancellationToken ct) =>
        tx.Doubt(payout.Withdrawals, reason, currencies, now, ct);

    /// <summary>It waits for a block, whatever block it was in before.</summary>
    public static async Task InMempool(this Tx tx, Payout payout, Currencies currencies, DateTimeOffset now, CancellationToken ct)
    {
        if (payout.Height is not null)
            await tx.Reopen(payout, now, ct);
        await tx.Submit(payout.Withdrawals, currencies, now, ct);
    }

    /// <summary>One of its attempts is in a block of the followed chain.</summary>
    public static async Task InBlock(
        this Tx tx, Payout payout, PayoutFate fate, Currencies currencies, DateTimeOffset now, CancellationToken ct)
    {
        await tx.Do("UPDATE payout SET tx_id = $2, height = $3, block_hash = $4, fee = $5, updated_at = $6 WHERE id = $1 AND state = 1", ct,
            P(payout.Id), P(fate.TxId!), P(fate.Height), P(fate.BlockHash), P(fate.Fee), P(now.UtcDateTime));
        if (fate.Kind == FateKind.Mined)
            await tx.Confirm(payout.Withdrawals, fate.TxId!, fate.Height!.Value, currencies, now, ct);
    }

    /// <summary>Its end. A payout that can never be mined gives up what it had claimed.</summary>
    public static async Task Close(this Tx tx, Payout payout, PayoutState state, DateTimeOffset now, CancellationToken ct)
    {
        if (state == PayoutState.Dead)
        {
            await tx.Do("UPDATE payout_withdrawal SET live = false WHERE payout_id = $1", ct, P(payout.Id));
            await tx.ReleaseHotCoins(payout.Chain, payout.Id, ct);
        }

        await tx.SetState(payout, state, now, ct);
    }

    /// <summary>Its end, in the block that it is deep in; nothing when somebody has seen it leave that block.</summary>
    public static Task CloseMined(this Tx tx, Payout payout, PayoutState state, string block, DateTimeOffset now, CancellationToken ct) => tx.Do(
        "UPDATE payout SET state = $2, updated_at = $3 WHERE id = $1 AND state = 1 AND block_hash = $4", ct,
        P(payout.Id), P((short)state), P(now.UtcDateTime), P(block));

    /// <summary>It is proven never to be mined: what it should have paid is payable again.</summary>
    public static async Task PayAnew(this Tx tx, Payout payout, Currencies currencies, DateTimeOffset now, CancellationToken ct)
    {
        await tx.Release(payout, null, currencies, now, ct);
        await tx.SetState(payout, PayoutState.Dead, now, ct);
    }

    /// <summary>It is in no block any more.</summary>
    public static Task Reopen(this Tx tx, Payout payout, DateTimeOffset now, CancellationToken ct) => tx.Do("""
        UPDATE payout SET state = 1, tx_id = NULL, height = NULL, block_hash = NULL, fee = NULL, updated_at = $2
        WHERE id = $1 AND state IN (1, 2)
        """, ct, P(payout.Id), P(now.UtcDateTime));

    private static async Task Release(
        this Tx tx, Payout payout, string? waits, Currencies currencies, DateTimeOffset now, CancellationToken ct)
    {
        await tx.Do("UPDATE payout_withdrawal SET live = false WHERE payout_id = $1", ct, P(payout.Id));
        await tx.ReleaseHotCoins(payout.Chain, payout.Id, ct);
        await tx.PayableAgain(payout.Withdrawals, waits, currencies, now, ct);
    }

    private static Task SetState(this Tx tx, Payout payout, PayoutState state, DateTimeOffset now, CancellationToken ct) =>
        tx.Do("UPDATE payout SET state = $2, updated_at = $3 WHERE id = $1", ct, P(payout.Id), P((short)state), P(now.UtcDateTime));

    private static void AddAttempt(Round round, Guid payout, int number, PayoutPlan plan, DateTimeOffset now) => round.Add("""
        INSERT INTO payout_attempt (payout_id, number, unsigned, fee_max, planned_at, tries) VALUES ($1, $2, $3, $4, $5, 0)
        ON CONFLICT DO NOTHING
        """, P(payout), P(number), P(plan.Unsigned), P(plan.Reading.FeeMax), P(now.UtcDateTime));
}
