using Coffer.Chains;
using Coffer.Chains.Simulated;

namespace Coffer.Tests.Chains;

/// <summary>Random operations against the promises that every chain keeps. A failure names its seed.</summary>
public sealed class SimulatedChainProperties
{
    private const int Seeds = 200;
    private const int Operations = 60;
    private static readonly DateTimeOffset Noon = new(2025, 1, 15, 12, 0, 0, TimeSpan.Zero);
    private static readonly string Address =
        SimulatedAddress.Make(new AccountId(new Guid(1, 2, 3, new byte[8])), new WalletId(new Guid(3, 2, 1, new byte[8])), "ETH", 0);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_any_operations_parents_are_linked_each_transaction_is_there_at_most_once_and_a_replay_is_identical()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var log = new MemoryLog();
            using var chain = new SimulatedChain("sim:p", log);
            var txIds = await Run(new Random(seed), chain);
            using var replayed = new SimulatedChain("sim:p", log);
            var blocks = await replayed.Blocks(0, int.MaxValue, Ct);
            var because = $"seed {seed}";

            for (var i = 1; i < blocks.Count; i++)
                Assert.True(blocks[i].ParentHash == blocks[i - 1].Hash && blocks[i].Height == i, because);
            var mined = blocks.SelectMany(block => block.Transfers.Select(transfer => transfer.TxId).Distinct()).ToList();
            Assert.True(mined.Count == mined.Distinct().Count(), because);
            Assert.True(!mined.Intersect((await replayed.Mempool(Ct)).Select(transfer => transfer.TxId)).Any(), because);
            foreach (var txId in txIds)
                await CheckStatus(replayed, blocks, txId, because);
            Assert.True((await chain.Blocks(0, int.MaxValue, Ct)).Select(Print).SequenceEqual(blocks.Select(Print)), because);
            Assert.Equal(await chain.Mempool(Ct), await replayed.Mempool(Ct));
        }
    }

    private static async Task CheckStatus(SimulatedChain chain, IReadOnlyList<ChainBlock> blocks, string txId, string because)
    {
        var status = await chain.Status(txId, Ct);
        var holder = blocks.FirstOrDefault(block => block.Transfers.Any(transfer => transfer.TxId == txId));
        Assert.True(status.Height == holder?.Height && status.BlockHash == holder?.Hash, because);
        Assert.True(status.State == TransactionState.Included == holder is not null, because);
    }

    private static string Print(ChainBlock block) => $"{block.Height} {block.Hash} {block.Time:O} {string.Join(',', block.Transfers)}";

    private static async Task<List<string>> Run(Random random, SimulatedChain chain)
    {
        var txIds = new List<string>();
        for (var i = 0; i < Operations; i++)
        {
            var time = Noon.AddMinutes(i);
            var output = new SimulatedOutput((TransferKind)random.Next(3), Address, "ETH", random.Next(1, 1_000));
            switch (random.Next(5))
            {
                case 0:
                    var withdrawal = new SimulatedTransaction($"{random.Next(8)}", output with { Amount = 1 });
                    txIds.Add(await chain.Broadcast(withdrawal.ToBytes(), Ct));
                    break;
                case 1:
                    var height = (int)(await chain.Tip(Ct)).Height;
                    if (height > 0)
                        await chain.Reorg(random.Next(1, Math.Min(height, 12) + 1), time, random.Next(2) == 0, Ct);
                    break;
                case 2:
                    await chain.Mine(random.Next(1, 4), time, random.Next(3), Ct);
                    break;
                default:
                    var outputs = Enumerable.Repeat(output with { Amount = 2 }, random.Next(1, 4)).ToList();
                    txIds.Add(await chain.Deposit($"{random.Next(20)}", outputs, Ct));
                    break;
            }
        }
        return txIds;
    }
}
