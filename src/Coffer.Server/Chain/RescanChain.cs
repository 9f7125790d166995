using Coffer.Chains;
using Coffer.Server.Host;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Chain;

/// <summary>What reading a chain again came to.</summary>
/// <param name="Chain">Which chain.</param>
/// <param name="From">The lowest block that was read.</param>
/// <param name="To">The highest, where the follower was.</param>
/// <param name="Blocks">How many were read.</param>
/// <param name="Payments">Transfers to our addresses in them.</param>
/// <param name="Added">Those that nobody had seen before.</param>
/// <param name="Credited">Those that had been kept with a reason that is gone.</param>
internal sealed record Rescanned(string Chain, long From, long To, long Blocks, long Payments, long Added, long Credited);

/// <summary>
/// Reads blocks again that the follower has passed, also those below its first one: adds what is missing, credits what was kept for a
/// reason that is gone. Called by the command line, beside running servers or without one.
///
/// Reads downwards from the cursor, because then every block is proved to be of our chain by the hash in the one above it, before anything
/// of it is written. Writes under the lock of the cursor, as long as the block that it came down from still counts; else it starts over.
/// What was credited is never touched.
///
/// If the process dies here: run it again; what is done stays done and changes nothing the second time.
/// </summary>
internal sealed class RescanChain(Db db, FollowChain follow)
{
    /// <summary>How often it starts over because the chain was reorganised beside it.</summary>
    public const int StartsMax = 20;

    /// <exception cref="SetupFailure">The chain is not followed yet, or not as far.</exception>
    /// <exception cref="ChainFault">The node cannot answer, or has other blocks than those that were followed.</exception>
    public async Task<Rescanned> Run(FollowedChain followed, long from, CancellationToken ct)
    {
        for (var start = 1; start <= StartsMax; start++)
        {
            if (await Down(followed, from, ct) is { } rescanned)
                return rescanned;
        }

        throw new ChainFault($"{followed.Chain.Id} is reorganised again and again; run it later.", retryable: true);
    }

    /// <summary>Null when the block that it started from was undone meanwhile.</summary>
    private async Task<Rescanned?> Down(FollowedChain followed, long from, CancellationToken ct)
    {
        var chain = followed.Chain;
        if (await db.Cursor(chain.Id, ct) is not { } anchor)
            throw new SetupFailure($"{chain.Id} is not followed yet: let the server run with it first.");
        if (from > anchor.Height)
            throw new SetupFailure($"{chain.Id} is followed up to block {anchor.Height}; give a block that is not above it.");
        var tip = await chain.Tip(ct);
        var sum = new Rescanned(chain.Id, from, anchor.Height, 0, 0, 0, 0);
        var (top, hash) = anchor;
        while (top >= from)
        {
            var low = Math.Max(from, top - FollowChain.BlocksMax + 1);
            var blocks = await Read(chain, low, top, hash, ct);
            if (await Write(followed, anchor, blocks, sum, ct) is not { } written)
                return null;
            sum = written;
            await follow.Tell(chain.Id, ct);
            (top, hash) = (low - 1, blocks[0].ParentHash);
        }

        await follow.Confirm(chain.Id, FollowChain.FinalityOf(tip, anchor), ct);
        return sum;
    }

    /// <summary>All blocks of a range, linked to each other and, by its hash, to what stands above them.</summary>
    private static async Task<List<ChainBlock>> Read(IChain chain, long low, long top, string hash, CancellationToken ct)
    {
        var blocks = new List<ChainBlock>((int)(top - low + 1));
        while (blocks.Count <= top - low)
        {
            var next = await chain.Blocks(low + blocks.Count, (int)(top - low) + 1 - blocks.Count, ct);
            if (next.Count == 0)
                throw new ChainFault($"{chain.Id}: the node does not have block {low + blocks.Count}; what was read above it is done.",
                    retryable: true);
            blocks.AddRange(next);
        }

        for (var i = 0; i < blocks.Count; i++)
            if (blocks[i].Height != low + i || blocks[i].Hash != (i == blocks.Count - 1 ? hash : blocks[i + 1].ParentHash))
                throw new ChainFault($"{chain.Id}: the node's block {low + i} is not the one that was followed; what was read above it is "
                    + "done. If the chain was just reorganised, let the server catch up and run it again.", retryable: true);
        return blocks;
    }

    private async Task<Rescanned?> Write(
        FollowedChain followed, ChainCursor anchor, List<ChainBlock> blocks, Rescanned sum, CancellationToken ct)
    {
        var chain = followed.Chain.Id;
        var addresses = FollowChain.Paid(blocks);
        var coins = FoundCoin.In(followed.Hot, blocks);
        while (true)
        {
            var (written, untold) = await db.Transaction(async (tx, token) =>
            {
                await tx.LockCursor(chain, token);
                if (await tx.BlockHash(chain, anchor.Height, token) != anchor.Hash)
                    return ((Rescanned?)null, false);
                if (await tx.HasUntold(chain, token))
                    return (null, true);
                var seen = await FollowChain.Observations(tx, followed, blocks, addresses, token);
                var added = seen.Count == 0 ? 0 : await tx.Observe(chain, seen, token);
                await tx.KeepHotCoins(chain, coins, token);
                var credited = seen.Count == 0 ? 0 : await tx.Recheck(chain, seen, token);
                return (sum with
                {
                    Blocks = sum.Blocks + blocks.Count,
                    Payments = sum.Payments + seen.Count,
                    Added = sum.Added + added,
                    Credited = sum.Credited + credited,
                }, false);
            }, ct, repeatable: true);
            if (!untold)
                return written;
            await follow.Tell(chain, ct);
        }
    }
}
