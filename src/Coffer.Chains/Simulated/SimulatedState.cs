using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Coffer.Chains.Simulated;

/// <summary>
/// The fold: what a simulated chain is after some operations. Pure and deterministic, hashes included, so any process that reads the same
/// log sees the same chain. Not safe for concurrent callers; <see cref="SimulatedChain"/> guards it.
/// </summary>
internal sealed class SimulatedState
{
    /// <summary>The height of a transaction that waits in the mempool.</summary>
    private const long InMempool = -1;

    /// <summary>The length of a block's hash and of a transaction's id, in hex digits.</summary>
    public const int HashDigits = 64;

    /// <summary>The height of a transaction that a reorg dropped.</summary>
    private const long Dropped = -2;

    private sealed record Payment(string TxId, bool Ours, IReadOnlyList<ChainTransfer> Transfers, bool Forgotten = false);

    private readonly string chain;
    private readonly List<ChainBlock> blocks = [];
    private readonly List<List<Payment>> contents = [];
    private readonly List<Payment> mempool = [];
    private readonly Dictionary<string, long> heights = [];
    private readonly Queue<BroadcastFault> faults = [];
    private int forks;

    public SimulatedState(string chain)
    {
        this.chain = chain;
        AddBlock(DateTimeOffset.UnixEpoch, []);
    }

    /// <summary>How many operations made this state: the next one is this + 1.</summary>
    public long Sequence { get; private set; }

    public long Height => blocks.Count - 1;

    public ChainBlock Tip => blocks[^1];

    /// <summary>What goes wrong with the next payment of ours; null for nothing.</summary>
    public BroadcastFault? NextFault => faults.TryPeek(out var fault) ? fault : null;

    public IReadOnlyList<ChainTransfer> Mempool => [.. mempool.SelectMany(payment => payment.Transfers)];

    public IReadOnlyList<ChainBlock> Blocks(long height, int countMax) => height < 0 || height > Height || countMax <= 0
        ? []
        : blocks.GetRange((int)height, (int)Math.Min(countMax, blocks.Count - height));

    public TransactionStatus Status(string txId) => heights.GetValueOrDefault(txId, Dropped) switch
    {
        Dropped => new TransactionStatus(TransactionState.Unknown, null, null),
        InMempool => new TransactionStatus(TransactionState.Mempool, null, null),
        var height => new TransactionStatus(TransactionState.Included, height, blocks[(int)height].Hash),
    };

    public ChainTransaction? Transaction(string txId)
    {
        var status = Status(txId);
        var block = status.Height is { } height ? blocks[(int)height] : null;
        var around = block is null ? mempool : contents[(int)block.Height];
        return around.Find(payment => payment.TxId == txId) is { } found
            ? new ChainTransaction(txId, status, block?.Time, found.Transfers, "simulated")
            : null;
    }

    /// <summary>What each address got up to a block; null when that block is not here. Nothing ever leaves a simulated address.</summary>
    public IReadOnlyList<BigInteger>? Holdings(long height, string hash, string? asset, IReadOnlyList<string> addresses)
    {
        if (height < 0 || height > Height || blocks[(int)height].Hash != hash)
            return null;
        var held = addresses.ToDictionary(address => address, _ => BigInteger.Zero);
        foreach (var transfer in blocks.Take((int)height + 1).SelectMany(block => block.Transfers))
            if (transfer.Asset == asset && held.ContainsKey(transfer.Address))
                held[transfer.Address] += transfer.Amount;
        return [.. addresses.Select(address => held[address])];
    }

    /// <summary>True when the operation was done already and must not be written again: the transaction waits or is in a block.</summary>
    public bool IsDone(SimulatedOperation operation) => operation switch
    {
        SimulatedOperation.Deposit deposit => heights.GetValueOrDefault(deposit.TxId, Dropped) != Dropped,
        SimulatedOperation.Broadcast broadcast => heights.GetValueOrDefault(broadcast.TxId, Dropped) != Dropped,
        SimulatedOperation.Broken broken => heights.GetValueOrDefault(broken.TxId, Dropped) != Dropped,
        _ => false,
    };

    /// <summary>Why the operation cannot be done now; null when it can. Asked before it is written, never when it is replayed.</summary>
    public Refusal? WhyNot(SimulatedOperation operation)
    {
        if (Sequence >= SimulatedLimits.OperationsMax)
            return Full($"{SimulatedLimits.OperationsMax} operations");
        return operation switch
        {
            SimulatedOperation.Deposit deposit => WhyNot(deposit),
            SimulatedOperation.Mine mine => WhyNot(mine),
            SimulatedOperation.Reorg reorg => WhyNot(reorg),
            SimulatedOperation.Break fault => WhyNot(fault),
            _ => WhyNotEnter(),
        };
    }

    public void Apply(SimulatedOperation operation)
    {
        switch (operation)
        {
            case SimulatedOperation.Deposit deposit:
                Enter(new Payment(deposit.TxId, Ours: false, Transfers(deposit.TxId, deposit.Outputs)));
                break;
            case SimulatedOperation.Broadcast broadcast:
                Enter(new Payment(broadcast.TxId, Ours: true, Transfers(broadcast.TxId, [broadcast.Output])));
                break;
            case SimulatedOperation.Break fault:
                for (var i = 0; i < fault.Count; i++)
                    faults.Enqueue(fault.How);
                break;
            case SimulatedOperation.Broken broken:
                faults.TryDequeue(out _);
                if (broken.How is BroadcastFault.Hang or BroadcastFault.Forget)
                    Enter(new Payment(broken.TxId, Ours: true, Transfers(broken.TxId, [broken.Output]), broken.How == BroadcastFault.Forget));
                break;
            case SimulatedOperation.Mine mine:
                for (var i = 0; i < mine.Count; i++)
                    AddBlock(mine.Time + (i * TimeSpan.FromSeconds(mine.StepSeconds)), TakeMempool());
                break;
            case SimulatedOperation.Reorg reorg:
                Fork(reorg);
                break;
        }
        Sequence++;
    }

    private Refusal? WhyNot(SimulatedOperation.Deposit deposit)
    {
        if (deposit.Outputs.Count is 0 or > SimulatedLimits.OutputsMax)
            return Refusal.Parameter("outputs", $"Give 1 to {SimulatedLimits.OutputsMax} outputs.");
        return deposit.Outputs.Any(output => output.Amount < 0) ? Refusal.Parameter("amount", "Must not be negative.") : WhyNotEnter();
    }

    private Refusal? WhyNotEnter() =>
        mempool.Count >= SimulatedLimits.MempoolMax ? Full($"{SimulatedLimits.MempoolMax} waiting transactions") : null;

    private Refusal? WhyNot(SimulatedOperation.Mine mine)
    {
        if (mine.Count is < 1 or > SimulatedLimits.BlocksPerCallMax)
            return Refusal.Parameter("count", $"Give 1 to {SimulatedLimits.BlocksPerCallMax} blocks.");
        return Height + mine.Count > SimulatedLimits.HeightMax ? Full($"{SimulatedLimits.HeightMax} blocks") : null;
    }

    private Refusal? WhyNot(SimulatedOperation.Reorg reorg)
    {
        if (reorg.Depth is < 1 or > SimulatedLimits.BlocksPerCallMax)
            return Refusal.Parameter("depth", $"Give 1 to {SimulatedLimits.BlocksPerCallMax} blocks.");
        if (reorg.Depth > Height)
            return Refusal.Parameter("depth", $"The chain has only {Height} blocks above its genesis block.");
        return Height + 1 > SimulatedLimits.HeightMax ? Full($"{SimulatedLimits.HeightMax} blocks") : null;
    }

    private Refusal? WhyNot(SimulatedOperation.Break fault)
    {
        if (fault.Count is < 1 or > SimulatedLimits.FaultsMax)
            return Refusal.Parameter("count", $"Give 1 to {SimulatedLimits.FaultsMax} broadcasts.");
        return faults.Count + fault.Count > SimulatedLimits.FaultsMax ? Full($"{SimulatedLimits.FaultsMax} faults to come") : null;
    }

    private static Refusal Full(string limit) =>
        new(RefusalCode.LimitExceeded, $"A simulated chain holds at most {limit}; use a new account.");

    private void Enter(Payment payment)
    {
        mempool.Add(payment);
        heights[payment.TxId] = InMempool;
    }

    private List<Payment> TakeMempool()
    {
        List<Payment> taken = [.. mempool];
        mempool.Clear();
        return taken;
    }

    private void Fork(SimulatedOperation.Reorg reorg)
    {
        forks++;
        var kept = blocks.Count - reorg.Depth;
        var lost = contents.Skip(kept).SelectMany(payments => payments).ToList();
        blocks.RemoveRange(kept, reorg.Depth);
        contents.RemoveRange(kept, reorg.Depth);
        // They join the end of the mempool, so they come back in another block and, beside others, at another place in it.
        foreach (var payment in lost)
        {
            if ((payment.Ours && !payment.Forgotten) || (!payment.Ours && reorg.Returned))
                Enter(payment);
            else
                heights[payment.TxId] = Dropped;
        }
        // One more than was lost: the longer chain wins.
        for (var i = 0; i <= reorg.Depth; i++)
            AddBlock(reorg.Time, []);
    }

    private void AddBlock(DateTimeOffset time, List<Payment> payments)
    {
        long height = blocks.Count;
        var parent = height == 0 ? new string('0', HashDigits) : Tip.Hash;
        if (height > 0 && time < Tip.Time)
            time = Tip.Time;
        foreach (var payment in payments)
            heights[payment.TxId] = height;
        string[] parts = ["block", chain, Text(forks), Text(height), parent, Text(time.UtcTicks), .. payments.Select(payment => payment.TxId)];
        var hash = Hash(parts);
        blocks.Add(new ChainBlock(height, hash, parent, time, [.. payments.SelectMany(payment => payment.Transfers)]));
        contents.Add(payments);
    }

    private static List<ChainTransfer> Transfers(string txId, IReadOnlyList<SimulatedOutput> outputs)
    {
        var ordinals = new Dictionary<TransferKind, int>();
        var transfers = new List<ChainTransfer>(outputs.Count);
        foreach (var output in outputs)
        {
            var ordinal = ordinals.GetValueOrDefault(output.Kind);
            ordinals[output.Kind] = ordinal + 1;
            transfers.Add(new ChainTransfer(txId, output.Kind, ordinal, output.Address, output.Currency, output.Amount));
        }
        return transfers;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>64 hex digits that depend on every part; parts hold no line feed.</summary>
    public static string Hash(IEnumerable<string> parts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))));
}
