using System.Globalization;
using System.Numerics;
using Coffer.Chains;

namespace Coffer.Tests.Chains;

/// <summary>A chain of any length that takes no room: its blocks are made when they are asked for.</summary>
internal sealed class LongChain(long height, Func<long, IReadOnlyList<ChainTransfer>> transfers) : IChain
{
    public string Id => "long";

    public Task<ChainTip> Tip(CancellationToken ct) => Task.FromResult(new ChainTip(height, Hash(height), null));

    public Task<IReadOnlyList<ChainBlock>> Blocks(long from, int countMax, CancellationToken ct) => Task.Run<IReadOnlyList<ChainBlock>>(
        () => [.. Enumerable.Range(0, (int)Math.Clamp(height - from + 1, 0, countMax)).Select(i => from + i).Select(at =>
            new ChainBlock(at, Hash(at), Hash(at - 1), ChainWorld.Noon.AddSeconds(at), transfers(at)))], ct);

    public Task<IReadOnlyList<ChainTransfer>> Mempool(CancellationToken ct) => Task.FromResult<IReadOnlyList<ChainTransfer>>([]);

    public Task<string> Broadcast(ReadOnlyMemory<byte> transaction, CancellationToken ct) => throw new NotSupportedException();

    public Task<TransactionStatus> Status(string txId, CancellationToken ct) => throw new NotSupportedException();

    public string? ReadTxId(string text) => text;

    public Task<ChainTransaction?> Transaction(string txId, CancellationToken ct) => Task.FromResult<ChainTransaction?>(null);

    public Task<IReadOnlyList<BigInteger>> Holdings(
        long at, string hash, string? asset, IReadOnlyList<string> addresses, CancellationToken ct) => throw new NotSupportedException();

    public Task<Int128> FeeEstimate(string? asset, CancellationToken ct) => Task.FromResult<Int128>(1);

    private static string Hash(long at) => at.ToString("x64", CultureInfo.InvariantCulture);
}
