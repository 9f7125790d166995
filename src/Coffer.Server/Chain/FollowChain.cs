using Coffer.Chains;
using Coffer.Ledger;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Chain;

/// <summary>
/// Follows one chain into the ledger. Called by the worker of each chain and by the sandbox; any number of callers in any number of
/// processes may follow the same chain at once.
///
/// Step A, one transaction under the lock of the cursor row: add the next blocks with what they pay us, or, where the node's block at the
/// cursor is another one now, undo the last block. Refused while the ledger has not been told of the step before, so that a deposit never
/// changes twice between two tellings.
/// Step B: tell the ledger what was seen or orphaned, then mark it told.
/// Step C: tell the ledger what has its confirmations, then mark it confirmed.
///
/// Guarantees: each (chain, transaction, kind, ordinal) is credited once per sighting and taken back once per undoing, because every
/// command carries both as its reference and the ledger does each once. A node that is away, lags or contradicts itself moves no cursor;
/// nothing is ever skipped.
///
/// If the process dies here: between two steps nothing is lost, inside B or C the same commands are sent again and change nothing.
/// </summary>
/// <param name="db">The database.</param>
/// <param name="ledger">The ledger.</param>
/// <param name="currencies">The currencies that this server keeps.</param>
/// <param name="at">Called at each named point, so that a test can stop the follower there; null in the product.</param>
/// <param name="blocksKept">How many blocks below the cursor are remembered; another number only in tests.</param>
internal sealed class FollowChain(Db db, LedgerWriters ledger, Currencies currencies, Func<string, Task>? at = null,
    int blocksKept = FollowChain.BlocksKept)
{
    /// <summary>Blocks asked for, and added in one transaction.</summary>
    public const int BlocksMax = 200;

    /// <summary>Deposits told to the ledger at once.</summary>
    public const int DepositsMax = 1_000;

    /// <summary>Every point at which the follower can be stopped.</summary>
    public static readonly IReadOnlyList<string> Points =
        ["read", "added", "undone", "told", "told and marked", "confirmed", "confirmed and marked"];

    /// <summary>Blocks below the cursor that are remembered, and so the deepest reorg that is followed.</summary>
    public const int BlocksKept = 100_000;

    /// <summary>How far below the tip a chain begins whose start is not set: deeper than reorgs usually go.</summary>
    public const int StartBelowTip = 32;

    private enum Step
    {
        /// <summary>Blocks were added; they are the node's.</summary>
        Added,

        /// <summary>The last block was undone, or somebody else moved the cursor: where we stand must be found out anew.</summary>
        Moved,

        /// <summary>The ledger must be told of the step before.</summary>
        Untold,

        /// <summary>The node has nothing more, and our last block is its own.</summary>
        Done,

        /// <summary>The node lags behind us, or behind the block to start at.</summary>
        Lags,
    }

    /// <summary>Goes on until the node has nothing more and the ledger knows everything. Throws <see cref="ChainFault"/>.</summary>
    /// <param name="followed">The chain.</param>
    /// <param name="ct">Stops between two steps, or while the node is waited for.</param>
    /// <param name="progress">Told of the node's tip and of each move of the cursor.</param>
    public async Task CatchUp(FollowedChain followed, CancellationToken ct, ChainProgress? progress = null)
    {
        var chain = followed.Chain;
        await using var ahead = new ReadAhead(chain, BlocksMax);
        var tip = await chain.Tip(ct);
        while (true)
        {
            var cursor = await db.Cursor(chain.Id, ct);
            progress?.At(cursor?.Height, tip.Height);
            var (step, at) = cursor is null ? (await Start(followed, tip, ct), null) : await Advance(followed, cursor, tip, ahead, ct);
            await Tell(chain.Id, ct);
            await Confirm(chain.Id, FinalityOf(tip, at), ct);
            if (at is not null)
                progress?.At(at.Height, tip.Height);
            if (step is Step.Done or Step.Lags)
                return;
            // The tip moves on while a long way is caught up.
            if (at is null || at.Height >= tip.Height)
                tip = await chain.Tip(ct);
        }
    }

    /// <summary>One step from the cursor, and the block of ours that is known to be the node's afterwards.</summary>
    private async Task<(Step Step, ChainCursor? At)> Advance(
        FollowedChain followed, ChainCursor cursor, ChainTip tip, ReadAhead ahead, CancellationToken ct)
    {
        var chain = followed.Chain;
        if (tip.Height == cursor.Height && tip.Hash == cursor.Hash)
            return (Step.Done, cursor);
        var blocks = await ahead.Take(cursor.Height + 1, ct);
        await Reach("read");
        if (blocks.Count > 0 && blocks[0].ParentHash == cursor.Hash)
        {
            var linked = Linked(chain.Id, cursor, blocks);
            var last = new ChainCursor(linked[^1].Height, linked[^1].Hash);
            if (last.Height < tip.Height && linked.Count == blocks.Count)
                ahead.Begin(last.Height + 1, tip.Height, blocks.Count);
            var step = await Add(followed, cursor, linked, ct);
            return (step, step == Step.Added ? last : null);
        }

        // No next block, or one that does not follow ours: what stands at our own height decides.
        if (await chain.BlockAt(cursor.Height, ct) is not { } own)
            return (Step.Lags, null); // The node lags behind us; that is no reorg.
        if (own.Hash != cursor.Hash)
            return (await Undo(followed, cursor, ct), null);
        return blocks.Count == 0 ? (Step.Done, cursor) : throw new ChainFault($"{chain.Id}: block {cursor.Height + 1} does not follow the "
            + $"node's own block {cursor.Height}; nothing was changed.", retryable: true);
    }

    /// <summary>What a tip says of finality, when a block of ours is known to be on the same chain; null when none is.</summary>
    public static Finality FinalityOf(ChainTip tip, ChainCursor? at) =>
        new(tip.Finalized is not null, at is null ? -1 : tip.Finalized ?? -1, at ?? new ChainCursor(-1, ""));

    private async Task<Step> Start(FollowedChain followed, ChainTip tip, CancellationToken ct)
    {
        var start = followed.Start ?? Math.Max(0, tip.Height - StartBelowTip);
        if (await followed.Chain.BlockAt(start, ct) is not { } first)
            return Step.Lags;
        await db.Transaction((tx, token) => tx.StartCursor(followed.Chain.Id, first, token), ct, repeatable: true);
        return Step.Moved;
    }

    /// <summary>The blocks up to the first that does not follow the one before: the node changed its mind while it answered.</summary>
    private static List<ChainBlock> Linked(string chain, ChainCursor cursor, IReadOnlyList<ChainBlock> blocks)
    {
        var linked = new List<ChainBlock>(blocks.Count);
        var (height, hash) = cursor;
        foreach (var block in blocks)
        {
            if (block.Height != ++height)
                throw new ChainFault($"{chain}: the node answered block {block.Height} for {height}.", retryable: true);
            if (block.ParentHash != hash)
                break;
            hash = block.Hash;
            linked.Add(block);
        }

        return linked;
    }

    private async Task<Step> Add(FollowedChain followed, ChainCursor cursor, List<ChainBlock> blocks, CancellationToken ct)
    {
        var chain = followed.Chain.Id;
        var addresses = Paid(blocks);
        var coins = FoundCoin.In(followed.Hot, blocks);
        var step = await db.Transaction(async (tx, token) =>
        {
            if (await WhyNot(tx, chain, cursor, token) is { } other)
                return other;
            await tx.AddBlocks(chain, blocks, token);
            if (await Observations(tx, followed, blocks, addresses, token) is { Count: > 0 } seen)
                await tx.Observe(chain, seen, token);
            await tx.KeepHotCoins(chain, coins, token);
            var last = blocks[^1];
            await tx.MoveCursor(chain, new ChainCursor(last.Height, last.Hash), token);
            if (last.Height > blocksKept)
                await tx.ForgetBlocks(chain, cursor.Height - blocksKept - blocks.Count, last.Height - blocksKept, token);
            return Step.Added;
        }, ct, repeatable: true);
        await Reach("added");
        return step;
    }

    /// <summary>The addresses that the blocks pay.</summary>
    public static string[] Paid(IReadOnlyList<ChainBlock> blocks) =>
        [.. blocks.SelectMany(block => block.Transfers).Select(transfer => transfer.Address).Distinct()];

    /// <summary>What the blocks pay us at these addresses; each identity once, whatever a node says.</summary>
    public static async Task<List<Observation>> Observations(
        Tx tx, FollowedChain followed, IReadOnlyList<ChainBlock> blocks, string[] addresses, CancellationToken ct)
    {
        if (addresses.Length == 0 || await tx.Ours(followed.Family, addresses, ct) is not { Count: > 0 } ours)
            return [];
        var found = new List<Observation>();
        var known = new HashSet<(string, TransferKind, int)>();
        foreach (var block in blocks)
            foreach (var transfer in block.Transfers)
                if (ours.TryGetValue(transfer.Address, out var address) && known.Add((transfer.TxId, transfer.Kind, transfer.Ordinal)))
                    found.Add(Observation.Of(block, transfer, address, followed.CurrencyOf(transfer)));
        return found;
    }

    private async Task<Step> Undo(FollowedChain followed, ChainCursor cursor, CancellationToken ct)
    {
        var chain = followed.Chain.Id;
        var step = await db.Transaction(async (tx, token) =>
        {
            if (await WhyNot(tx, chain, cursor, token) is { } other)
                return other;
            var below = await tx.BlockHash(chain, cursor.Height - 1, token) ?? throw new ChainFault(
                $"{chain}: the block at {cursor.Height} was replaced, and it is the lowest that is remembered: the first that was followed, or "
                + $"{blocksKept} below where the chain was. Check which network the nodes are on.", retryable: false);
            await tx.Orphan(chain, cursor, token);
            if (followed.Hot is not null)
                await tx.LoseHotCoins(chain, cursor.Height, cursor.Hash, token);
            await tx.RemoveBlock(chain, cursor.Height, token);
            await tx.MoveCursor(chain, new ChainCursor(cursor.Height - 1, below), token);
            return Step.Moved;
        }, ct, repeatable: true);
        await Reach("undone");
        return step;
    }

    /// <summary>Locks the cursor; null when the step may be done: nobody was faster, and the ledger knows of the step before.</summary>
    private static async Task<Step?> WhyNot(Tx tx, string chain, ChainCursor cursor, CancellationToken ct)
    {
        if (await tx.LockCursor(chain, ct) != cursor)
            return Step.Moved;
        return await tx.HasUntold(chain, ct) ? Step.Untold : null;
    }

    /// <summary>Tells the ledger everything that it must be told.</summary>
    public async Task Tell(string chain, CancellationToken ct)
    {
        while (await db.Untold(chain, DepositsMax, ct) is { Count: > 0 } rows)
        {
            var told = await Write(chain, rows, Wish);
            await Reach("told");
            await db.Transaction((tx, token) => tx.MarkTold(chain, told, token), ct, repeatable: true);
            await Reach("told and marked");
        }
    }

    /// <summary>Tells the ledger what has its confirmations, or is final.</summary>
    public async Task Confirm(string chain, Finality finality, CancellationToken ct)
    {
        while (await db.Confirmable(chain, currencies.All, finality, DepositsMax, ct) is { Count: > 0 } rows)
        {
            var confirmed = await Write(chain, rows, Confirmation);
            await Reach("confirmed");
            await db.Transaction((tx, token) => tx.MarkConfirmed(chain, confirmed, token), ct, repeatable: true);
            await Reach("confirmed and marked");
        }
    }

    private Command Wish(string chain, Observation row) => row.State == ObservationState.Orphaned
        ? new DepositReversed(row.Account, row.Wallet, CurrencyOf(row), Reference.Of(row.Reference(chain)), row.Sighting) { Companion = row }
        : new DepositSeen(row.Account, row.Wallet, CurrencyOf(row), Reference.Of(row.Reference(chain)), (Int128)row.Amount, row.BlockTime,
            row.Sighting)
        { Companion = row };

    private Command Confirmation(string chain, Observation row)
    {
        var currency = CurrencyOf(row);
        var reference = Reference.Of(row.Reference(chain));
        return new DepositConfirmed(row.Account, row.Wallet, currency, reference, currency.DepositFee, row.Sighting) { Companion = row };
    }

    /// <summary>
    /// Sends one command per row. A sighting that the ledger has no room for gets a reason and waits for a human; any other refusal is a
    /// bug here or there, and stops the chain before more goes wrong.
    /// </summary>
    private async Task<List<Observation>> Write(string chain, List<Observation> rows, Func<string, Observation, Command> command)
    {
        var written = new List<Observation>(rows.Count);
        foreach (var shard in rows.GroupBy(row => row.Shard))
        {
            Observation[] group = [.. shard];
            Command[] commands = [.. group.Select(row => command(chain, row))];
            var outcomes = await ledger.WriteAll(shard.Key, commands);
            for (var i = 0; i < group.Length; i++)
                written.Add(outcomes[i].Refusal switch
                {
                    null => group[i],
                    { Code: RefusalCode.LimitExceeded } when commands[i] is DepositSeen => group[i] with { Reason = "balance_too_large" },
                    var refusal => throw new InvalidOperationException(
                        $"The ledger refused {group[i].Reference(chain)}, sighting {group[i].Sighting}: {refusal.Message}"),
                });
        }

        return written;
    }

    private Currency CurrencyOf(Observation row) => currencies.TryFind(row.Currency, out var currency)
        ? currency
        : throw new InvalidOperationException($"{row.Currency} has deposits that are not finished; put it back into the currency file.");

    private Task Reach(string point) => at is null ? Task.CompletedTask : at(point);
}
