using Coffer.Chains;
using Coffer.Server.Payments;
using Coffer.Server.Sql;
using Npgsql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Chain;

/// <summary>A payment that waits for a block.</summary>
internal sealed record WaitingPayment(ChainTransfer Transfer, WatchedAddress Ours, string? Currency);

/// <summary>The statements on payments that wait for a block, the only writer of chain_mempool.</summary>
internal static class MempoolSql
{
    /// <summary>Whether a chain has rows, which must go when its mempool is empty.</summary>
    public static async Task<bool> HasMempool(this Db db, string chain, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT EXISTS (SELECT FROM chain_mempool WHERE chain = $1)");
        command.Parameters.Add(P(chain));
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>From now on these wait, and no others. One that was there keeps its time; one that is in a block already does not wait.</summary>
    public static async Task KeepMempool(
        this Tx tx, string chain, IReadOnlyList<WaitingPayment> waiting, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            WITH u AS (
                SELECT * FROM unnest($2::text[], $3::smallint[], $4::integer[], $5::text[], $6::smallint[], $7::uuid[], $8::uuid[],
                    $9::text[], $10::text[], $11::numeric[])
                    AS u(tx_id, kind, ordinal, address, shard, account_id, wallet_id, asset, currency, amount)
                WHERE NOT EXISTS (SELECT FROM chain_deposit d WHERE d.chain = $1 AND d.tx_id = u.tx_id AND d.kind = u.kind
                    AND d.ordinal = u.ordinal AND d.state <> 3)),
            gone AS (
                DELETE FROM chain_mempool m WHERE m.chain = $1
                    AND NOT EXISTS (SELECT FROM u WHERE (u.tx_id, u.kind, u.ordinal) = (m.tx_id, m.kind, m.ordinal))
                RETURNING m.account_id, m.address),
            come AS (
                INSERT INTO chain_mempool
                    (chain, tx_id, kind, ordinal, address, shard, account_id, wallet_id, asset, currency, amount, seen_at)
                SELECT $1, u.*, $12 FROM u ON CONFLICT (chain, tx_id, kind, ordinal) DO NOTHING
                RETURNING account_id, address)
            SELECT * FROM gone UNION SELECT * FROM come
            """, tx.Connection, tx.Transaction)
        {
            Parameters =
            {
                P(chain), P(waiting, w => w.Transfer.TxId), P(waiting, w => (short)w.Transfer.Kind), P(waiting, w => w.Transfer.Ordinal),
                P(waiting, w => w.Transfer.Address), P(waiting, w => w.Ours.Shard), P(waiting, w => w.Ours.Account.Value),
                P(waiting, w => w.Ours.Wallet.Value), P(waiting, w => w.Transfer.Asset), P(waiting, w => w.Currency),
                P(waiting, w => w.Transfer.Amount), P(now.UtcDateTime),
            },
        };
        await tx.LookAgain(await ChainSql.ReadPaid(command, ct), ct);
    }
}
