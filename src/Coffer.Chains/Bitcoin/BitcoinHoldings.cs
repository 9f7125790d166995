using System.Text.Json;
using Coffer.Chains.Keys;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Bitcoin;

/// <summary>
/// What addresses hold after a named block, from the chain alone. Bitcoin Core searches its unspent outputs at its own tip, whence the few
/// blocks above the named one are taken back; without that search, or deeper, all blocks are read from the first that can concern us.
/// Coins that miners made are counted here, though they are no transfers: they are there.
/// </summary>
internal sealed class BitcoinHoldings(BitcoinNetwork network, BitcoinBlocks blocks, long from)
{
    public async Task<IReadOnlyList<long>> Read(
        RpcNode node, long height, string hash, IReadOnlyList<string> addresses, CancellationToken ct)
    {
        foreach (var address in addresses)
        {
            if (BitcoinAddress.ToScript(address, network) is null)
                throw new ChainFault($"{address} is no address of Bitcoin's {network.Word} network.", retryable: false);
        }

        var held = addresses.Distinct().ToDictionary(address => address, _ => 0L);
        var (top, _) = await node.Tip(ct);
        if (height > top || await node.HashAt(height, ct) != hash)
            throw NotThere(node, height, hash);
        if (top - height > BitcoinLimits.RewindMax || !await Search(node, height, hash, held, ct))
            await Count(node, height, hash, held, ct);
        return [.. addresses.Select(address => held[address])];
    }

    /// <summary>False, and nothing counted, where the node has no such search.</summary>
    private async Task<bool> Search(RpcNode node, long height, string hash, Dictionary<string, long> held, CancellationToken ct)
    {
        foreach (var part in held.Keys.ToArray().Chunk(BitcoinLimits.AddressesPerSearch))
        {
            object[] descriptors = [.. part.Select(address => $"addr({address})")];
            JsonElement said;
            try
            {
                var search = new RpcCall("scantxoutset", "start", descriptors) { AnswerTime = BitcoinLimits.SearchTime };
                said = await node.Call(search, ct);
            }
            catch (RpcError error) when (error.Code == RpcError.NoSuchMethod)
            {
                return false;
            }

            var wanted = part.ToHashSet();
            foreach (var unspent in said.Member("unspents").List())
            {
                // What came after the named block was not there yet.
                if (unspent.Whole("height") <= height
                    && AddressOf(unspent.Member("scriptPubKey").Bytes()) is { } address && wanted.Contains(address))
                    Add(held, address, unspent.Satoshi("amount"));
            }

            var (searched, best) = (said.Whole("height"), said.Hash("bestblock"));
            if (searched - height > 2 * BitcoinLimits.RewindMax)
                throw RawReader.Fault("grew too fast while its unspent outputs were searched");
            for (var above = height + 1; above <= searched; above++)
                await TakeBack(node, above, height, wanted, held, ct);
            // The search may have taken minutes: what it saw must still stand on the block that was asked for.
            if (searched < height || await node.HashAt(searched, ct) != best || await node.HashAt(height, ct) != hash)
                throw RawReader.Fault("changed while its unspent outputs were searched");
        }

        return true;
    }

    /// <summary>What a block above the named one spent was still there then.</summary>
    private async Task TakeBack(
        RpcNode node, long above, long height, HashSet<string> wanted, Dictionary<string, long> held, CancellationToken ct)
    {
        var block = await node.Call("getblock", ct, await node.HashAt(above, ct), 3);
        foreach (var transaction in block.Member("tx").List())
        {
            foreach (var input in transaction.Member("vin").List())
            {
                if (input.MemberOrNull("prevout") is { } spent && spent.Whole("height") <= height
                    && AddressOf(spent.Member("scriptPubKey").Member("hex").Bytes()) is { } address && wanted.Contains(address))
                    Add(held, address, spent.Satoshi("value"));
            }
        }
    }

    private async Task Count(RpcNode node, long height, string hash, Dictionary<string, long> held, CancellationToken ct)
    {
        var unspent = new Dictionary<Outpoint, (string Address, long Value)>();
        RawHash? parent = null;
        await foreach (var run in blocks.Runs(node, Math.Min(from, height), height, ct))
        {
            foreach (var block in run)
            {
                if (parent is { } below && block.Parent != below)
                    throw RawReader.Fault("changed while its blocks were read");
                parent = block.Hash;
                foreach (var transaction in block.Transactions)
                    Apply(transaction, unspent, held);
            }
        }

        if (parent?.ToString() != hash)
            throw RawReader.Fault("changed while its blocks were read");
        foreach (var (address, value) in unspent.Values)
            Add(held, address, value);
    }

    private void Apply(RawTransaction transaction, Dictionary<Outpoint, (string, long)> unspent, Dictionary<string, long> held)
    {
        foreach (var spent in transaction.Spent)
            unspent.Remove(spent);
        for (var i = 0; i < transaction.Outputs.Count; i++)
        {
            var (value, script) = transaction.Outputs[i];
            if (BitcoinAddress.OfScript(script.Span, network) is not { } address || !held.ContainsKey(address))
                continue;
            if (unspent.Count == BitcoinLimits.UnspentMax)
                throw new ChainFault(
                    $"The addresses have more than {BitcoinLimits.UnspentMax} unspent outputs: ask for fewer of them.", retryable: false);
            unspent[new Outpoint(transaction.Id, (uint)i)] = (address, value);
        }
    }

    private static void Add(Dictionary<string, long> held, string address, long value) =>
        held[address] = held[address] + value is var sum and <= RawTransaction.ValueMax
            ? sum : throw RawReader.Fault("holds more than there is");

    private string? AddressOf(byte[] script) => BitcoinAddress.OfScript(script, network);

    private static ChainFault NotThere(RpcNode node, long height, string hash) =>
        new($"{node.Name} does not have block {height} with the hash {hash} on its best chain.", retryable: true);
}
