using System.Numerics;
using System.Text.Json;
using Coffer.Chains.Keys;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>
/// Ethereum or one of its likes (BSC, Polygon, Arbitrum, Base), through the JSON-RPC of its nodes: the coin, tokens by their contracts, and
/// coin moved by contracts where the node has traces. Every answer of <see cref="Blocks"/> comes from one node and was held against what
/// the same node says elsewhere; a node that contradicts itself is at fault, and nothing is passed over. Keeps nothing that must survive
/// the process. A contract's creation with coin pays the new contract, so it is no transfer here.
/// </summary>
public sealed class EvmChain : IChain, IDisposable
{
    private readonly EvmOptions options;
    private readonly HttpClient http = RpcNode.Client();
    private readonly RpcNodes nodes;
    private readonly EvmTransfers transfers;
    private readonly EvmSpelling spelling = new(Spell, hash => hash);

    /// <summary>A chain behind its nodes; nothing is asked of them yet.</summary>
    /// <param name="options">What to follow. An <see cref="ArgumentException"/> for a token that is no address.</param>
    /// <param name="nodes">Where the nodes are; the earlier is preferred. User name and password are sent as basic authorization.</param>
    /// <param name="watch">Which receivers to verify transfers for.</param>
    /// <param name="time">Measures time limits and rests of nodes.</param>
    public EvmChain(EvmOptions options, IReadOnlyList<Uri> nodes, Watch watch, TimeProvider time)
    {
        this.options = options;
        this.nodes = new RpcNodes(options.Id, [.. nodes.Select(url => new RpcNode(url, http, time))], $"{options.ChainId}", Identify, time);
        var logs = new EvmLogs([.. options.Tokens.Select(Hex).Distinct()]);
        transfers = new EvmTransfers(logs, options.Coin ? options.Traces : TraceKind.None, spelling, watch);
    }

    /// <inheritdoc/>
    public string Id => options.Id;

    /// <inheritdoc/>
    public IReadOnlyList<(string Node, string? Fault)> Nodes => nodes.States;

    /// <summary>The nodes, for <see cref="EvmPayouts"/>.</summary>
    internal RpcNodes Pool => nodes;

    /// <summary>What is followed, and how.</summary>
    internal EvmOptions Options => options;

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    /// <inheritdoc/>
    public Task<ChainTip> Tip(CancellationToken ct) => nodes.Use(async (node, ct) =>
    {
        var replies = await node.Batch([Block("latest"), Block("finalized")], ct);
        if (replies[0].Result is not { ValueKind: JsonValueKind.Object } latest)
            throw new RpcFault("The node has no latest block.");

        // Not every chain has the tag, and a young one has nothing final yet; both only mean to wait.
        var final = replies[1].Error is null && replies[1].Result.Member("number") is not null;
        return new ChainTip(latest.Number("number"), latest.Hash("hash"), final ? replies[1].Result.Number("number") : null);
    }, ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ChainBlock>> Blocks(long height, int countMax, CancellationToken ct) => nodes.Use(async (node, ct) =>
    {
        var tip = (await node.Call("eth_blockNumber", ct)).Number();
        var count = (int)Math.Min(Math.Min(countMax, EvmLimits.BlocksMax), tip - height + 1);
        return count <= 0 ? [] : await transfers.Of(node, await Read(node, height, count, ct), tip, ct);
    }, ct);

    /// <summary>Nothing: what waits is not looked at on these chains, since a block is never far away.</summary>
    public Task<IReadOnlyList<ChainTransfer>> Mempool(CancellationToken ct) => Task.FromResult<IReadOnlyList<ChainTransfer>>([]);

    /// <inheritdoc/>
    public async Task<string> Broadcast(ReadOnlyMemory<byte> transaction, CancellationToken ct)
    {
        var txId = "0x" + Convert.ToHexStringLower(Keccak256.Hash(transaction.Span));
        return await nodes.Use(async (node, ct) =>
        {
            try
            {
                var answer = await node.Call("eth_sendRawTransaction", ct, "0x" + Convert.ToHexStringLower(transaction.Span));
                return answer.Text() is { } text && ReadTxId(text) == txId
                    ? txId : throw new RpcFault("The node answers another transaction id.");
            }
            catch (RpcError)
            {
                // Words and codes differ between nodes, and "already known" is one of the refusals: what counts is whether it has it.
                if ((await node.Call("eth_getTransactionByHash", ct, txId)).Member("hash") is null)
                    throw;
                return txId;
            }
        }, ct);
    }

    /// <inheritdoc/>
    public Task<TransactionStatus> Status(string txId, CancellationToken ct) =>
        nodes.Use(async (node, ct) => (await EvmExplain.Status(node, txId, ct)).Status, ct);

    /// <inheritdoc/>
    public string? ReadTxId(string text) => EvmJson.IsHex(text, EvmJson.HashLength) ? text.ToLowerInvariant()
        : EvmJson.IsHex("0x" + text, EvmJson.HashLength) ? "0x" + text.ToLowerInvariant() : null;

    /// <inheritdoc/>
    public Task<ChainTransaction?> Transaction(string txId, CancellationToken ct) =>
        nodes.Use((node, ct) => EvmExplain.Transaction(node, options.Traces, spelling, txId, ct), ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<BigInteger>> Holdings(
        long height, string hash, string? asset, IReadOnlyList<string> addresses, CancellationToken ct) =>
        nodes.Use((node, ct) => EvmHoldings.At(node, height, hash, asset is null ? null : Hex(asset), [.. addresses.Select(Hex)], ct), ct);

    /// <inheritdoc/>
    public Task<Int128> FeeEstimate(string? asset, CancellationToken ct) => nodes.Use(async (node, ct) =>
    {
        var price = (await EvmFees.Price(node, ct)).Expected;
        return Int128.Max(price, options.GasPriceMin) * (asset is null ? options.GasPerTransfer : options.GasPerTokenTransfer);
    }, ct);

    internal static string Hex(string address) => "0x" + Convert.ToHexStringLower(EvmAddress.ToBytes(address));

    internal static string Spell(string hex) => EvmAddress.Write(EvmJson.Bytes(hex));

    private static RpcCall Block(string tag) => new("eth_getBlockByNumber", tag, false);

    private static async Task<RpcIdentity> Identify(RpcNode node, CancellationToken ct)
    {
        var replies = await node.Batch([new("eth_chainId"), new("eth_blockNumber")], ct);
        return new RpcIdentity($"{replies[0].Result.Quantity()}", replies[1].Result.Number());
    }

    private async Task<IReadOnlyList<EvmBlock>> Read(RpcNode node, long height, int count, CancellationToken ct)
    {
        // In parts, because what a node writes about a block is many times what is kept of it.
        List<EvmBlock> blocks = [];
        foreach (var part in Enumerable.Range(0, count).Chunk(EvmLimits.BlocksPerRequestMax * RpcLimits.RequestsAtOnce))
        {
            var calls = part.Select(i => new RpcCall("eth_getBlockByNumber", EvmJson.Hex(height + i), options.Coin));
            var replies = await node.Batch([.. calls], ct, EvmLimits.BlocksPerRequestMax);
            blocks.AddRange(replies.Zip(part, (reply, i) => reply.Result is { ValueKind: JsonValueKind.Object } json
                ? EvmBlock.Read(json, height + i) : throw new RpcFault($"The node does not have block {height + i}, below its own tip.")));
        }
        return blocks;
    }
}
