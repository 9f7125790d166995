using System.Numerics;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Bitcoin;

/// <summary>
/// Bitcoin through Core's JSON-RPC: raw blocks that are proven here, so that a node is believed no more than needed. No wallet, index or
/// ZMQ of the node is needed. Holds no state that must survive the process.
/// </summary>
public sealed class BitcoinChain : IChain, IDisposable
{
    private readonly BitcoinOptions options;
    private readonly HttpClient http = RpcNode.Client();
    private readonly RpcNodes nodes;
    private readonly BitcoinBlocks blocks;
    private readonly BitcoinMempool mempool;
    private readonly BitcoinHoldings holdings;

    /// <summary>Opens no connection yet.</summary>
    /// <param name="id">The chain's name in cursors and references, e.g. <c>bitcoin</c>.</param>
    /// <param name="options">Which Bitcoin, and where.</param>
    /// <param name="watch">Which addresses are ours; what goes to others is left out of blocks and mempool.</param>
    /// <param name="time">Measures how long nodes are waited for and left alone.</param>
    public BitcoinChain(string id, BitcoinOptions options, Watch watch, TimeProvider time)
    {
        (Id, this.options) = (id, options);
        nodes = BitcoinNodes.Of(id, options, http, time);
        blocks = new BitcoinBlocks(options.Network, watch);
        mempool = new BitcoinMempool(options.Network, blocks);
        holdings = new BitcoinHoldings(options.Network, blocks, options.HoldingsFrom);
    }

    /// <inheritdoc/>
    public string Id { get; }

    /// <summary>Per node its name and what is wrong with it, null for nothing known.</summary>
    public IReadOnlyList<(string Node, string? Fault)> Nodes => nodes.States;

    /// <summary>The nodes themselves, for what pays on this chain.</summary>
    internal RpcNodes Pool => nodes;

    /// <summary>Reads their blocks.</summary>
    internal BitcoinBlocks Reader => blocks;

    /// <summary>Which Bitcoin this is.</summary>
    internal BitcoinOptions Options => options;

    /// <inheritdoc/>
    public void Dispose()
    {
        http.Dispose();
        mempool.Dispose();
    }

    /// <inheritdoc/>
    public Task<ChainTip> Tip(CancellationToken ct) => nodes.Use(async (node, token) =>
    {
        var (height, hash) = await node.Tip(token);
        return new ChainTip(height, hash, Finalized: null);
    }, ct);

    /// <summary>
    /// As <see cref="IChain.Blocks"/>; fewer also where more would be too many bytes at once. What makes new coins is no transfer, so a
    /// miner cannot be paid into a wallet here.
    /// </summary>
    public Task<IReadOnlyList<ChainBlock>> Blocks(long height, int countMax, CancellationToken ct) =>
        nodes.Use((node, token) => blocks.Read(node, height, countMax, token), ct);

    /// <summary>As <see cref="IChain.Mempool"/>, of watched addresses only. Another node may have another mempool.</summary>
    public Task<IReadOnlyList<ChainTransfer>> Mempool(CancellationToken ct) => nodes.Use(mempool.Read, ct);

    /// <inheritdoc/>
    public async Task<string> Broadcast(ReadOnlyMemory<byte> transaction, CancellationToken ct)
    {
        string txId;
        try
        {
            txId = RawTransaction.Parse(transaction).Id.ToString();
        }
        catch (ChainFault fault)
        {
            // Our own bytes, not a node's: they will not get better.
            throw new ChainFault($"{Id}: these bytes are no transaction.", retryable: false, fault);
        }

        return await nodes.Use((node, token) => BitcoinSend.Send(node, transaction, txId, token), ct);
    }

    /// <inheritdoc/>
    public Task<TransactionStatus> Status(string txId, CancellationToken ct) => nodes.Use(async (node, token) =>
        (await BitcoinLookup.Find(node, txId, token))?.Status ?? new TransactionStatus(TransactionState.Unknown, null, null), ct);

    /// <inheritdoc/>
    public string? ReadTxId(string text) => text.ToLowerInvariant() is var lower && RawHash.Parse(lower) is not null ? lower : null;

    /// <inheritdoc/>
    public Task<ChainTransaction?> Transaction(string txId, CancellationToken ct) => nodes.Use(async (node, token) =>
        await BitcoinLookup.Find(node, txId, token) is { } found
            ? new ChainTransaction(txId, found.Status, found.BlockTime,
                [.. BitcoinBlocks.Transfers(found.Transaction, options.Network)], node.Name)
            : null, ct);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<BigInteger>> Holdings(
        long height, string hash, string? asset, IReadOnlyList<string> addresses, CancellationToken ct)
    {
        RefuseTokens(asset);
        var held = await nodes.Use((node, token) => holdings.Read(node, height, hash, addresses, token), ct);
        return [.. held.Select(value => (BigInteger)value)];
    }

    /// <inheritdoc/>
    public Task<Int128> FeeEstimate(string? asset, CancellationToken ct)
    {
        RefuseTokens(asset);
        return nodes.Use((node, token) => BitcoinSend.Estimate(node, options.FeeFallback, token), ct);
    }

    private void RefuseTokens(string? asset)
    {
        if (asset is not null)
            throw new ChainFault($"{Id} has no tokens.", retryable: false);
    }
}
