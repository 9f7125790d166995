using System.Globalization;
using System.Numerics;

namespace Coffer.Chains.Simulated;

/// <summary>
/// The chain that a test account lives on (contract 7): it moves only when told. Every call first reads what the log has that this instance
/// has not, so any number of instances, in one process or several, agree; a change counts once the log has it. What happens if the process
/// dies here: the operation is in the log or it is not, and the next instance folds the same chain from it.
/// </summary>
/// <param name="id">The chain's name, e.g. <c>sim:ACCOUNT</c>; part of every block hash and deposit id, so no two chains share one.</param>
/// <param name="log">Where its operations are kept.</param>
public sealed class SimulatedChain(string id, ISimulatedLog log) : IChain, IDisposable
{
    /// <summary>What a simulated transaction costs, in smallest units of the coin: a constant, since nobody bids.</summary>
    public const int FeePerTransaction = 1;

    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly SimulatedState state = new(id);

    /// <inheritdoc/>
    public string Id { get; } = id;

    /// <summary>The name of a test account's chain.</summary>
    public static string IdOf(AccountId account) => $"sim:{account}";

    /// <inheritdoc/>
    public void Dispose() => gate.Dispose();

    /// <summary>
    /// A stranger pays: enters the mempool, and the next block. The seed names the payment: the same seed again is the same transaction,
    /// which is put back when a reorg dropped it and else left alone. Answers the transaction id. Throws <see cref="Refused"/> beyond a limit.
    /// </summary>
    public async Task<string> Deposit(string seed, IReadOnlyList<SimulatedOutput> outputs, CancellationToken ct)
    {
        if (seed.Length is 0 or > SimulatedLimits.SeedLengthMax || seed.Contains('\n'))
            throw new Refused(Refusal.Parameter("seed", $"Give one line of 1 to {SimulatedLimits.SeedLengthMax} characters."));
        var parts = outputs.SelectMany(output => new[]
        {
            output.Kind.Word(), output.Address, output.Currency, output.Amount.ToString(CultureInfo.InvariantCulture),
        });
        var txId = SimulatedState.Hash(["deposit", Id, seed, .. parts]);
        await Append(new SimulatedOperation.Deposit(txId, outputs), ct);
        return txId;
    }

    /// <summary>Mines blocks; the first takes the mempool. Answers the new tip. Throws <see cref="Refused"/> beyond a limit.</summary>
    /// <param name="count">1 to <see cref="SimulatedLimits.BlocksPerCallMax"/>.</param>
    /// <param name="time">The time of the first block.</param>
    /// <param name="stepSeconds">How much later each further block is, at least 0.</param>
    /// <param name="ct">Stops waiting; the blocks may or may not be mined then.</param>
    public Task<ChainTip> Mine(int count, DateTimeOffset time, int stepSeconds, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(stepSeconds);
        return Append(new SimulatedOperation.Mine(count, time, stepSeconds), ct);
    }

    /// <summary>
    /// Replaces the last <paramref name="depth"/> blocks by one more. Deposits in them vanish, or wait again when
    /// <paramref name="returned"/>; withdrawals always wait again. Answers the new tip. Throws <see cref="Refused"/> when deeper than the
    /// chain is high or beyond a limit.
    /// </summary>
    public Task<ChainTip> Reorg(int depth, DateTimeOffset time, bool returned, CancellationToken ct) =>
        Append(new SimulatedOperation.Reorg(depth, time, returned), ct);

    /// <inheritdoc/>
    public async Task<string> Broadcast(ReadOnlyMemory<byte> transaction, CancellationToken ct)
    {
        if (SimulatedTransaction.Parse(transaction.Span) is not { } parsed)
            throw new ChainFault($"{Id} does not understand the transaction.", retryable: false);
        if (!SimulatedAddress.IsValid(parsed.Output.Address))
            throw new ChainFault($"{Id} does not know the address that the transaction pays.", retryable: false);
        var txId = SimulatedTransaction.Id(transaction.Span);
        BroadcastFault? fault = null;
        try
        {
            await Append(() =>
            {
                fault = state.NextFault;
                return fault is { } how
                    ? new SimulatedOperation.Broken(txId, parsed.Output, how) : new SimulatedOperation.Broadcast(txId, parsed.Output);
            }, ct);
        }
        catch (Refused full)
        {
            throw new ChainFault($"{Id}: {full.Message}", retryable: true, full);
        }

        return fault switch
        {
            BroadcastFault.Fail => throw new ChainFault($"{Id} was told to refuse this payment for ever.", retryable: false),
            BroadcastFault.Hang => throw new ChainFault($"{Id} was told to leave this payment without an answer.", retryable: true),
            _ => txId,
        };
    }

    /// <summary>
    /// The next <paramref name="count"/> payments of ours go wrong, behind those that are to go wrong already. Throws <see cref="Refused"/>
    /// beyond a limit.
    /// </summary>
    public Task Break(BroadcastFault fault, int count, CancellationToken ct) => Append(new SimulatedOperation.Break(fault, count), ct);

    /// <inheritdoc/>
    public Task<ChainTip> Tip(CancellationToken ct) => Read(TipNow, ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ChainBlock>> Blocks(long height, int countMax, CancellationToken ct) =>
        Read(() => state.Blocks(height, countMax), ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ChainTransfer>> Mempool(CancellationToken ct) => Read(() => state.Mempool, ct);

    /// <inheritdoc/>
    public Task<TransactionStatus> Status(string txId, CancellationToken ct) => Read(() => state.Status(txId), ct);

    /// <inheritdoc/>
    public string? ReadTxId(string text) =>
        text.Length == SimulatedState.HashDigits && text.All(char.IsAsciiHexDigit) ? text.ToLowerInvariant() : null;

    /// <inheritdoc/>
    public Task<ChainTransaction?> Transaction(string txId, CancellationToken ct) => Read(() => state.Transaction(txId), ct);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<BigInteger>> Holdings(
        long height, string hash, string? asset, IReadOnlyList<string> addresses, CancellationToken ct) =>
        await Read(() => state.Holdings(height, hash, asset, addresses), ct)
        ?? throw new ChainFault($"{Id} does not have block {height} with the hash {hash}.", retryable: false);

    /// <inheritdoc/>
    public Task<Int128> FeeEstimate(string? asset, CancellationToken ct) => Task.FromResult<Int128>(FeePerTransaction);

    private ChainTip TipNow() => new(state.Height, state.Tip.Hash, Finalized: null);

    private async Task<T> Read<T>(Func<T> read, CancellationToken ct)
    {
        await gate.WaitAsync(ct);
        try
        {
            await Refresh(ct);
            return read();
        }
        finally
        {
            gate.Release();
        }
    }

    private Task<ChainTip> Append(SimulatedOperation operation, CancellationToken ct) => Append(() => operation, ct);

    /// <summary>Writes what is to be done, as decided on the state of each try.</summary>
    private async Task<ChainTip> Append(Func<SimulatedOperation> decide, CancellationToken ct)
    {
        await gate.WaitAsync(ct);
        try
        {
            for (var attempt = 0; attempt < SimulatedLimits.AppendAttemptsMax; attempt++)
            {
                await Refresh(ct);
                var operation = decide();
                if (state.IsDone(operation))
                    return TipNow();
                if (state.WhyNot(operation) is { } refusal)
                    throw new Refused(refusal);
                if (await log.Append(state.Sequence + 1, operation, ct))
                {
                    state.Apply(operation);
                    return TipNow();
                }

                // Two writers in step would let the same one lose for ever; whoever lost steps aside, each time a little longer.
                await Task.Delay(Math.Min(attempt + 1, SimulatedLimits.AppendWaitMillisecondsMax), ct);
            }
            throw new ChainFault($"{Id}: other writers were faster {SimulatedLimits.AppendAttemptsMax} times.", retryable: true);
        }
        finally
        {
            gate.Release();
        }
    }

    private async Task Refresh(CancellationToken ct)
    {
        while (true)
        {
            var operations = await log.After(state.Sequence, SimulatedLimits.ReplayBatch, ct);
            foreach (var operation in operations)
                state.Apply(operation);
            if (operations.Count < SimulatedLimits.ReplayBatch)
                return;
        }
    }
}
