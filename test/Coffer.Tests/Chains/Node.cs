using System.Numerics;
using Coffer.Chains;

namespace Coffer.Tests.Chains;

/// <summary>A node in front of a chain that changes, holds back or refuses some of its answers.</summary>
internal sealed class Node(IChain behind) : IChain
{
    public string Id { get; init; } = behind.Id;

    public Func<IReadOnlyList<ChainBlock>, IReadOnlyList<ChainBlock>> Answer { get; set; } = blocks => blocks;

    /// <summary>What becomes of holdings.</summary>
    public Func<IReadOnlyList<BigInteger>, IReadOnlyList<BigInteger>> Held { get; set; } = held => held;

    /// <summary>What becomes of the tip.</summary>
    public Func<ChainTip, ChainTip> Top { get; set; } = tip => tip;

    public async Task<ChainTip> Tip(CancellationToken ct) => Top(await behind.Tip(ct));

    public async Task<IReadOnlyList<ChainBlock>> Blocks(long height, int countMax, CancellationToken ct) =>
        Answer(await behind.Blocks(height, countMax, ct));

    /// <summary>What becomes of the mempool.</summary>
    public Func<IReadOnlyList<ChainTransfer>, IReadOnlyList<ChainTransfer>> Unconfirmed { get; set; } = transfers => transfers;

    public async Task<IReadOnlyList<ChainTransfer>> Mempool(CancellationToken ct) => Unconfirmed(await behind.Mempool(ct));

    public Task<string> Broadcast(ReadOnlyMemory<byte> transaction, CancellationToken ct) => behind.Broadcast(transaction, ct);

    public Task<TransactionStatus> Status(string txId, CancellationToken ct) => behind.Status(txId, ct);

    public string? ReadTxId(string text) => behind.ReadTxId(text);

    public Task<ChainTransaction?> Transaction(string txId, CancellationToken ct) => behind.Transaction(txId, ct);

    public async Task<IReadOnlyList<BigInteger>> Holdings(
        long height, string hash, string? asset, IReadOnlyList<string> addresses, CancellationToken ct) =>
        Held(await behind.Holdings(height, hash, asset, addresses, ct));

    /// <summary>What a transfer costs; null for what the chain says.</summary>
    public Func<string?, Int128>? Fee { get; set; }

    public async Task<Int128> FeeEstimate(string? asset, CancellationToken ct) => Fee?.Invoke(asset) ?? await behind.FeeEstimate(asset, ct);
}
