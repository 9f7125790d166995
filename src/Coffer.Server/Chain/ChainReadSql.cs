using Coffer.Server.Sql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Chain;

/// <summary>What is asked of the chain tables besides following: nothing here writes.</summary>
internal static class ChainReadSql
{
    /// <summary>Those of these addresses that are ours.</summary>
    public static async Task<HashSet<string>> Watched(
        this Db db, string family, IReadOnlyCollection<string> addresses, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT address FROM chain_address WHERE family = $1 AND address = ANY($2)");
        command.Parameters.Add(P(family));
        command.Parameters.Add(P<string[]>([.. addresses]));
        var watched = new HashSet<string>(StringComparer.Ordinal);
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
            watched.Add(rows.GetString(0));
        return watched;
    }
}
