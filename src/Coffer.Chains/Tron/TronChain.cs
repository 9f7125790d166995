using System.Numerics;
using System.Text.Json;
using Coffer.Chains.Evm;
using Coffer.Chains.Keys;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Tron;

/// <summary>
/// Tron, of which only final (solidified) blocks are ever told, so nothing here is taken back. TRC-20 tokens are read as on an EVM chain,
/// from logs and receipts of the node's <c>/jsonrpc</c>; TRX only from <c>/walletsolidity/</c> (see <see cref="TronNode"/>). TRX that a
/// contract sends appears in neither and is not seen. Keeps nothing that must survive the process.
/// </summary>
public sealed class TronChain : IChain, IDisposable
{
    private const string Any = "any";
    internal static readonly EvmSpelling Spelling = new(hex => TronAddress.Write(EvmJson.Bytes(hex)), hash => hash[2..]);
    private readonly TronOptions options;
    private readonly HttpClient http = RpcNode.Client();
    private readonly Dictionary<RpcNode, TronNode> own;
    private readonly RpcNodes nodes;
    private readonly EvmTransfers transfers;

    /// <summary>A chain behind its nodes; nothing is asked of them yet.</summary>
    /// <param name="options">What to follow. An <see cref="ArgumentException"/> for a token that is no address.</param>
    /// <param name="nodes">
    /// Addresses under which <c>/jsonrpc</c>, <c>/wallet/</c> and <c>/walletsolidity/</c> are, the preferred one first: a hosted node, or a
    /// proxy in front of the three ports of a java-tron.
    /// </param>
    /// <param name="watch">Which receivers to verify transfers for.</param>
    /// <param name="time">Measures time limits and rests of nodes.</param>
    public TronChain(TronOptions options, IReadOnlyList<Uri> nodes, Watch watch, TimeProvider time)
    {
        this.options = options;
        var all = nodes.Select(url => TronNode.Of(url, http, time, options.ApiKey)).ToArray();
        own = all.ToDictionary(node => node.Rpc);
        this.nodes = new RpcNodes(options.Id, [.. all.Select(node => node.Rpc)], options.ChainId is { } id ? $"{id}" : Any, Identify, time);
        var logs = new EvmLogs([.. options.Tokens.Select(TronAddress.ToHex).Distinct()]);
        transfers = new EvmTransfers(logs, TraceKind.None, Spelling, watch);
    }

    /// <inheritdoc/>
    public string Id => options.Id;

    /// <inheritdoc/>
    public IReadOnlyList<(string Node, string? Fault)> Nodes => nodes.States;

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    /// <summary>The highest final block.</summary>
    public Task<ChainTip> Tip(CancellationToken ct) => Use(async (node, ct) =>
    {
        var tip = await node.Tip(ct);
        return new ChainTip(tip.Height, tip.Hash[2..], tip.Height);
    }, ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ChainBlock>> Blocks(long height, int countMax, CancellationToken ct) => Use(async (node, ct) =>
    {
        var tip = (await node.Tip(ct)).Height;
        var count = (int)Math.Min(Math.Min(countMax, TronLimits.BlocksMax), tip - height + 1);
        if (count <= 0)
            return [];
        var blocks = await Each(Enumerable.Range(0, count), i => node.Block(height + i, ct), ct);

        // All of them are final, so none is too near the tip to be asked for in a range.
        return await transfers.Of(node.Rpc, blocks, tip + EvmLimits.NearTip, ct);
    }, ct);

    /// <summary>Nothing: only final blocks are looked at.</summary>
    public Task<IReadOnlyList<ChainTransfer>> Mempool(CancellationToken ct) => Task.FromResult<IReadOnlyList<ChainTransfer>>([]);

    /// <inheritdoc/>
    public Task<string> Broadcast(ReadOnlyMemory<byte> transaction, CancellationToken ct)
    {
        var txId = TronTransaction.Id(transaction.Span)
            ?? throw new ChainFault($"{Id} does not understand the transaction.", retryable: false);
        return Use(async (node, ct) =>
        {
            var answer = await node.Ask("wallet/broadcasthex", new { transaction = Convert.ToHexStringLower(transaction.Span) }, ct);
            if (answer.Member("result") is { ValueKind: JsonValueKind.True })
                return txId;

            // Having it already is one of the refusals: what counts is whether it is known.
            foreach (var place in new[] { "wallet/gettransactionbyid", "wallet/gettransactionfrompending" })
                if ((await node.Ask(place, new { value = txId }, ct)).Member("txID") is not null)
                    return txId;
            var code = answer.Member("code")?.Text() ?? "no reason";
            throw new ChainFault($"{node.Rpc.Name} does not take the transaction {txId}: {code}.", retryable: true);
        }, ct);
    }

    /// <inheritdoc/>
    public Task<TransactionStatus> Status(string txId, CancellationToken ct) =>
        Use(async (node, ct) => (await TronTransaction.Status(node, txId, ct)).Status, ct);

    /// <inheritdoc/>
    public string? ReadTxId(string text) => EvmJson.IsHex("0x" + text, EvmJson.HashLength) ? text.ToLowerInvariant()
        : EvmJson.IsHex(text, EvmJson.HashLength) ? text[2..].ToLowerInvariant() : null;

    /// <inheritdoc/>
    public Task<ChainTransaction?> Transaction(string txId, CancellationToken ct) =>
        Use((node, ct) => TronTransaction.Read(node, Spelling, txId, ct), ct);

    /// <summary>
    /// What each address holds now, if the named block is the highest final one before and after the reading: a node knows no older state.
    /// Else a retryable <see cref="ChainFault"/>; ask <see cref="Tip"/> and then again.
    /// </summary>
    public Task<IReadOnlyList<BigInteger>> Holdings(
        long height, string hash, string? asset, IReadOnlyList<string> addresses, CancellationToken ct) =>
        Use<IReadOnlyList<BigInteger>>(async (node, ct) =>
    {
        await BeAt();
        var held = await Each(addresses, address => Holding(node, asset, TronAddress.ToHex(address), ct), ct);
        await BeAt();
        return held;

        async Task BeAt()
        {
            if ((await node.Tip(ct)).Hash[2..] != hash)
                throw new ChainFault($"The last final block of {node.Rpc.Name} is not {height} {hash}.", retryable: true);
        }
    }, ct);

    /// <inheritdoc/>
    public Task<Int128> FeeEstimate(string? asset, CancellationToken ct) => Use<Int128>(async (node, ct) =>
    {
        var prices = (await node.Ask("wallet/getchainparameters", new { }, ct)).Items("chainParameter").ToArray();
        return asset is null ? TronLimits.BytesPerTransfer * Price("getTransactionFee")
            : (TronLimits.BytesPerTokenTransfer * Price("getTransactionFee")) + (TronLimits.EnergyPerTokenTransfer * Price("getEnergyFee"));

        Int128 Price(string name) => Array.Find(prices, one => one.Text("key") == name) is { ValueKind: JsonValueKind.Object } found
            ? Int128.Max((Int128)TronNode.Amount(found, "value"), TronLimits.PriceMin)
            : throw new RpcFault($"The node does not say {name}.");
    }, ct);

    private static async Task<BigInteger> Holding(TronNode node, string? asset, string address, CancellationToken ct)
    {
        var owner = "41" + address[2..];
        if (asset is null)
            return TronNode.Amount(await node.Ask("walletsolidity/getaccount", new { address = owner }, ct), "balance");
        var answer = await node.Ask("walletsolidity/triggerconstantcontract", new
        {
            owner_address = owner,
            contract_address = "41" + TronAddress.ToHex(asset)[2..],
            function_selector = "balanceOf(address)",
            parameter = address[2..].PadLeft(EvmJson.WordLength - 2, '0'),
        }, ct);
        return answer.Member("constant_result") is { ValueKind: JsonValueKind.Array } result && result.GetArrayLength() == 1
            && result[0].Text() is { } word && EvmJson.IsHex("0x" + word, EvmJson.WordLength) ? EvmJson.Quantity("0x" + word)!.Value
            : throw new ChainFault($"The contract {asset} does not answer with a balance.", retryable: true);
    }

    /// <summary>Runs work on one of the nodes; see <see cref="RpcNodes.Use"/>.</summary>
    internal Task<T> Use<T>(Func<TronNode, CancellationToken, Task<T>> work, CancellationToken ct) =>
        nodes.Use((node, ct) => work(own[node], ct), ct);

    private async Task<RpcIdentity> Identify(RpcNode rpc, CancellationToken ct)
    {
        var height = (await own[rpc].Tip(ct)).Height;
        return new RpcIdentity(options.ChainId is null ? Any : $"{(await rpc.Call("eth_chainId", ct)).Quantity()}", height);
    }

    private static async Task<T[]> Each<TItem, T>(IEnumerable<TItem> items, Func<TItem, Task<T>> ask, CancellationToken ct)
    {
        List<T> answers = [];
        foreach (var part in items.Chunk(TronLimits.RequestsAtOnce))
        {
            ct.ThrowIfCancellationRequested();
            answers.AddRange(await Task.WhenAll(part.Select(ask)));
        }
        return [.. answers];
    }
}
