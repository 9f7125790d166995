using System.CommandLine;
using System.Globalization;
using Coffer.Chains;
using Coffer.Chains.Simulated;
using Coffer.Server.Chain;
using Coffer.Server.Host;
using Coffer.Server.Ledger;

namespace Coffer.Server.Commands;

/// <summary><c>coffer chain status|rescan</c>. Both work beside a running server or without one.</summary>
internal static class ChainCommand
{
    public static Command Make() => new("chain", "The chains that deposits come from") { Status(), Rescan() };

    /// <summary>A chain of the chains file, or the simulated chain of a test account, with what must be disposed after it.</summary>
    public static (FollowedChain Followed, IDisposable Owner) Find(Workplace work, string id)
    {
        if (id.StartsWith("sim:", StringComparison.Ordinal) && Guid.TryParseExact(id[4..], "D", out var account))
        {
            var followed = new SimulatedChains(work.Db, work.Currencies, work.Clock).Followed(new AccountId(account));
            return (followed, (SimulatedChain)followed.Chain);
        }

        if (work.Chains.Count == 0)
            throw new Misuse("There is no chains file: name it with --chains (COFFER_CHAINS).");
        if (work.Chains.FirstOrDefault(entry => entry.Id == id) is not { } chosen)
            throw new Misuse($"The chains file does not list {id}; it lists {string.Join(", ", work.Chains.Select(entry => entry.Id))}.");
        var chains = RealChains.Of([chosen], work.Db, work.Currencies, work.Clock);
        return (chains.All[0].Followed, chains);
    }

    private static Command Status()
    {
        var command = new Documented("status", "Say how far each chain was followed, and where its nodes are", """
            Examples:
              coffer chain status --chains /etc/coffer/chains.json
              coffer chain status --json

            Asks every node of the chains file. Exit status 1 when a chain is behind, was never followed, or no node of it answers.
            """);
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        command.Options.Add(json);
        command.SetAction(async (parsed, ct) =>
        {
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            if (work.Chains.Count == 0)
                throw new Misuse("There is no chains file: name it with --chains (COFFER_CHAINS).");
            var chains = await ReadChainStatus.Run(work.Db, work.Chains, ChainFactory.Make, work.Clock, ct);
            Output.Of(parsed, json).Write(new { ok = chains.All(chain => chain.Ok), chains }, [.. chains.SelectMany(Lines)]);
            return chains.All(chain => chain.Ok) ? CommandLine.Done : CommandLine.Failed;
        });
        return command;
    }

    private static Command Rescan()
    {
        var command = new Documented("rescan", "Read blocks again and credit what is missing", """
            Examples:
              coffer chain rescan --chain ethereum --from 19000000
              coffer chain rescan --chain bitcoin --from 0 --json

            Reads from where the chain was followed down to the height, checks every block against the one above it, adds payments that are
            missing and credits those whose reason is gone, e.g. a currency that the currency file lists by now. What was credited is
            never touched, so it may be run again at any time, beside a running server too.
            """);
        var chain = Texts.Option("--chain", "ID", "The chain, as the chains file calls it", required: true);
        var from = Texts.Option("--from", "HEIGHT", "The lowest block to read", required: true);
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        foreach (var option in (Option[])[chain, from, json])
            command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            var text = parsed.GetValue(from)!;
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var height))
                throw new Misuse($"--from must be the height of a block, not \"{text}\".");
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var (followed, owner) = Find(work, parsed.GetValue(chain)!);
            using var _ = owner;
            await using var ledger = new LedgerWriters(work.Shards, work.Db, work.Ids, work.Clock, LedgerGuests.All(work.Clock));
            var rescan = new RescanChain(work.Db, new FollowChain(work.Db, ledger, work.Currencies));
            var done = await Run(rescan, followed, height, ct);
            Output.Of(parsed, json).Write(done,
                $"Read {done.Blocks} blocks of {done.Chain}, {done.From} to {done.To}: {done.Payments} payments to our addresses, of which "
                + $"{done.Added} were missing and are added, and {done.Credited} can be credited now.");
            return CommandLine.Done;
        });
        return command;
    }

    private static async Task<Rescanned> Run(RescanChain rescan, FollowedChain followed, long height, CancellationToken ct)
    {
        try
        {
            return await rescan.Run(followed, height, ct);
        }
        catch (ChainFault fault)
        {
            throw new SetupFailure(fault.Message);
        }
    }

    private static IEnumerable<string> Lines(ChainStatus chain)
    {
        yield return chain.Height is { } height
            ? $"{chain.Chain} ({chain.Kind}, {chain.Network}): block {height} of {Wire.Time(chain.BlockTime!.Value)}, "
                + (chain.Behind is { } behind ? $"{behind} behind" : "no node answers")
                + $"; {chain.Incoming} deposits incoming, {chain.Uncredited} payments not credited"
            : $"{chain.Chain} ({chain.Kind}, {chain.Network}): never followed";
        foreach (var node in chain.Nodes)
            yield return $"  {node.Node}: " + (node.Message ?? $"block {node.Tip}"
                + (node.Finalized is { } final ? $", final up to {final}" : "")
                + (node.SameChain is false ? ", BUT ITS BLOCK AT OUR HEIGHT IS ANOTHER ONE" : ""));
    }
}
