using Coffer.Chains;
using Coffer.Server.Sql;

namespace Coffer.Server.Chain;

/// <summary>What one node says.</summary>
/// <param name="Node">Scheme, host and port; no credentials.</param>
/// <param name="Tip">Its best block; null when it does not answer.</param>
/// <param name="Finalized">What it calls final; null for nothing.</param>
/// <param name="SameChain">Whether its block at the cursor is ours; null when it has none there.</param>
/// <param name="Message">Why it does not answer; null when it does.</param>
internal sealed record NodeStatus(string Node, long? Tip, long? Finalized, bool? SameChain, string? Message);

/// <summary>Where a chain stands, by the database and by each of its nodes.</summary>
internal sealed record ChainStatus(string Chain, string Kind, string Network, long? ChainId, long? Height, string? Hash,
    DateTimeOffset? BlockTime, long? Start, long? Behind, long Incoming, long Uncredited, IReadOnlyList<NodeStatus> Nodes)
{
    /// <summary>Followed, not far behind, and at least one node answers with our chain.</summary>
    public required bool Ok { get; init; }
}

/// <summary>Asks every node of every chain where it is. Called by the command line; reads only.</summary>
internal static class ReadChainStatus
{
    /// <summary>How long a node is waited for.</summary>
    public static readonly TimeSpan NodeTime = TimeSpan.FromSeconds(10);

    public static async Task<IReadOnlyList<ChainStatus>> Run(
        Db db, IReadOnlyList<ChainEntry> entries, MakeChain make, TimeProvider time, CancellationToken ct)
    {
        var books = (await db.Books([.. entries.Select(entry => entry.Id)], ct)).ToDictionary(b => b.Chain);
        return await Task.WhenAll(entries.Select(entry => Of(entry, books.GetValueOrDefault(entry.Id), make, time, ct)));
    }

    private static async Task<ChainStatus> Of(
        ChainEntry entry, ChainBooks? books, MakeChain make, TimeProvider time, CancellationToken ct)
    {
        var nodes = await Task.WhenAll(entry.Nodes.Select(node => Ask(entry with { Nodes = [node] }, books?.Cursor, make, time, ct)));
        var tip = nodes.Max(node => node.Tip);
        long? behind = tip is { } top && books is not null ? Math.Max(0, top - books.Cursor.Height) : null;
        return new ChainStatus(entry.Id, entry.Kind.ToString().ToLowerInvariant(), entry.Network, entry.ChainId, books?.Cursor.Height,
            books?.Cursor.Hash, books?.BlockTime, books?.Start, behind, books?.Incoming ?? 0, books?.Uncredited ?? 0, nodes)
        {
            Ok = behind <= entry.BehindMax && nodes.Any(node => node is { Tip: not null, SameChain: not false }),
        };
    }

    private static async Task<NodeStatus> Ask(
        ChainEntry entry, ChainCursor? cursor, MakeChain make, TimeProvider time, CancellationToken ct)
    {
        var name = ChainEntry.Shown(entry.Nodes[0]);
        var chain = make(entry, [], (_, _) => Task.FromResult<IReadOnlySet<string>>(new HashSet<string>()), time);
        try
        {
            var (status, fault) = await NodeQuestion.Ask<NodeStatus>(
                NodeTime, $"It did not answer within {NodeTime.TotalSeconds} seconds.", async token =>
                {
                    var tip = await chain.Tip(token);
                    var own = cursor is null ? null : await chain.BlockAt(cursor.Height, token);
                    return new NodeStatus(name, tip.Height, tip.Finalized, own is null ? null : own.Hash == cursor!.Hash, null);
                }, ct);
            return status ?? new NodeStatus(name, null, null, null, fault);
        }
        finally
        {
            (chain as IDisposable)?.Dispose();
        }
    }
}
