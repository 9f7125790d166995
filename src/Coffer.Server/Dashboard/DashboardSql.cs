using Coffer.Server.Sql;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Dashboard;

/// <summary>What pages read that no answer of the API has.</summary>
internal static class DashboardSql
{
    /// <summary>The number of the account's last event; 0 before the first.</summary>
    public static async Task<long> LastEvent(this Db db, short shard, AccountId account, CancellationToken ct)
    {
        await using var command = db.Reads.CreateCommand("SELECT last FROM event_head WHERE shard = $1 AND account_id = $2");
        command.Parameters.Add(P(shard));
        command.Parameters.Add(P(account.Value));
        return await command.ExecuteScalarAsync(ct) is long last ? last : 0;
    }
}
