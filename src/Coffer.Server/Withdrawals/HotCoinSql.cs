using Coffer.Chains.Payouts;
using Coffer.Server.Sql;
using Npgsql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Withdrawals;

/// <summary>
/// The statements on the coins of hot wallets, the only writer of hot_coin. The follower adds a coin in the transaction that adds its block
/// and marks it as gone in the one that undoes it; a payout locks its coins in the transaction that stores its plan.
/// </summary>
internal static class HotCoinSql
{
    /// <summary>Blocks, its own included, that a coin waits for that somebody paid in: a reorg would take a payout with it.</summary>
    public const int DepthOfOthers = 3;

    /// <summary>The same for change of our own payouts: what made it would be mined again.</summary>
    public const int DepthOfOwn = 1;

    /// <summary>Coins that are read for one plan, the largest first.</summary>
    public const int CoinsMax = 1_000;

    /// <summary>Writes down coins; one that is there already gets the block that it is in now. Doing it again changes nothing.</summary>
    public static async Task KeepHotCoins(this Tx tx, string chain, IReadOnlyList<FoundCoin> coins, CancellationToken ct)
    {
        if (coins.Count == 0)
            return;
        await using var command = tx.Command("""
            INSERT INTO hot_coin AS c (chain, tx_id, ordinal, address, path, amount, height, block_hash, gone)
            SELECT $1, u.*, false FROM unnest($2::text[], $3::integer[], $4::text[], $5::text[], $6::numeric[], $7::bigint[], $8::text[])
                AS u(tx_id, ordinal, address, path, amount, height, block_hash)
            ON CONFLICT (chain, tx_id, ordinal) DO UPDATE SET height = excluded.height, block_hash = excluded.block_hash, gone = false
            WHERE c.gone OR c.block_hash <> excluded.block_hash
            """, P(chain), P(coins, c => c.Coin.TxId), P(coins, c => c.Coin.Ordinal), P(coins, c => c.Coin.Address),
            P(coins, c => c.Coin.Path), P(coins, c => c.Coin.Amount), P(coins, c => c.Height), P(coins, c => c.BlockHash));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The coins that a block made are no more; whoever has locked one keeps the lock, for it may come back.</summary>
    public static async Task LoseHotCoins(this Tx tx, string chain, long height, string blockHash, CancellationToken ct)
    {
        await using var command = tx.Command("UPDATE hot_coin SET gone = true WHERE chain = $1 AND height = $2 AND block_hash = $3",
            P(chain), P(height), P(blockHash));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>
    /// The coins that a plan may spend, the largest first: deep enough under where the chain is followed, and no payout's. The node has to
    /// be asked whether they are unspent.
    /// </summary>
    public static async Task<List<HotCoin>> FreeHotCoins(this Db db, string chain, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT h.tx_id, h.ordinal, h.address, h.path, h.amount FROM hot_coin h JOIN chain_cursor c ON c.chain = h.chain
            WHERE h.chain = $1 AND h.payout_id IS NULL AND NOT h.gone AND h.height <= c.height + 1 - CASE
                WHEN EXISTS (SELECT FROM payout_attempt a WHERE a.tx_id = h.tx_id) THEN $2 ELSE $3 END
            ORDER BY h.amount DESC, h.tx_id, h.ordinal LIMIT $4
            """);
        foreach (var parameter in (NpgsqlParameter[])[P(chain), P(DepthOfOwn), P(DepthOfOthers), P(CoinsMax)])
            command.Parameters.Add(parameter);
        return await Read(command, ct);
    }

    /// <summary>The coins that are there and no payout's, however new.</summary>
    public static async Task<List<HotCoin>> UnspentHotCoins(this Db db, string chain, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("""
            SELECT tx_id, ordinal, address, path, amount FROM hot_coin WHERE chain = $1 AND payout_id IS NULL AND NOT gone
            ORDER BY amount DESC, tx_id, ordinal
            """);
        command.Parameters.Add(P(chain));
        return await Read(command, ct);
    }

    /// <summary>
    /// Gives the coins to a payout. False when one of them is another's or gone by now: then the transaction must not be committed.
    /// </summary>
    public static async Task<bool> LockHotCoins(this Tx tx, string chain, Guid payout, IReadOnlyList<HotCoin> coins, CancellationToken ct)
    {
        await using var command = tx.Command("""
            UPDATE hot_coin h SET payout_id = $2 FROM unnest($3::text[], $4::integer[]) AS u(tx_id, ordinal)
            WHERE h.chain = $1 AND h.tx_id = u.tx_id AND h.ordinal = u.ordinal AND NOT h.gone AND h.payout_id IS NULL
            """, P(chain), P(payout), P(coins, c => c.TxId), P(coins, c => c.Ordinal));
        return await command.ExecuteNonQueryAsync(ct) == coins.Count;
    }

    /// <summary>The coins of a payout that is proven never to be mined may be spent again.</summary>
    public static async Task ReleaseHotCoins(this Tx tx, string chain, Guid payout, CancellationToken ct)
    {
        await using var command = tx.Command("UPDATE hot_coin SET payout_id = NULL WHERE chain = $1 AND payout_id = $2",
            P(chain), P(payout));
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task<List<HotCoin>> Read(NpgsqlCommand command, CancellationToken ct)
    {
        var coins = new List<HotCoin>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
            coins.Add(new HotCoin(row.GetString(0), row.GetInt32(1), row.GetString(2), row.GetString(3), row.GetFieldValue<Int128>(4)));
        return coins;
    }
}
