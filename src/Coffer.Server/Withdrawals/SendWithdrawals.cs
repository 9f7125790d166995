using Coffer.Chains;
using Coffer.Chains.Simulated;
using Coffer.Server.Sql;

namespace Coffer.Server.Withdrawals;

/// <summary>
/// Pays the withdrawals of one test account on its simulated chain. Called around the follower of that chain, by any number of processes.
///
/// For each: the bytes and their transaction id are stored, then sent, then marked as sent; when they are deep enough under the blocks that
/// the follower has seen, the ledger settles. Sending again is always the same bytes, so nothing is paid twice.
///
/// If the process dies here: whatever step was under way is done again by the next caller; each changes nothing the second time.
/// </summary>
/// <param name="db">The database.</param>
/// <param name="finish">What ends a withdrawal.</param>
/// <param name="currencies">The currencies that this server keeps.</param>
/// <param name="time">The clock.</param>
/// <param name="at">Called at each named point, so that a test can stop the work there; null in the product.</param>
internal sealed class SendWithdrawals(
    Db db, FinishWithdrawal finish, Currencies currencies, TimeProvider time, Func<string, Task>? at = null)
{
    /// <summary>Withdrawals taken at once.</summary>
    public const int BatchMax = 1_000;

    /// <summary>Every point at which the work can be stopped.</summary>
    public static readonly IReadOnlyList<string> Points = ["bytes kept", "sent", "sent and marked", "settled"];

    private static readonly WithdrawalState[] _toSend = [WithdrawalState.Pending, WithdrawalState.Approved, WithdrawalState.Processing];

    private static readonly WithdrawalState[] _sent = [WithdrawalState.Submitted];

    /// <summary>Hands over what the chain does not have yet. Throws <see cref="ChainFault"/> when it cannot take it now.</summary>
    public Task Send(IChain chain, CancellationToken ct) => Each(chain, _toSend, withdrawal => Send(chain, withdrawal, ct), ct);

    /// <summary>Settles what has the confirmations that its currency asks for, counted in blocks that the follower has seen.</summary>
    public Task Settle(IChain chain, CancellationToken ct) => Each(chain, _sent, async withdrawal =>
    {
        var status = await chain.Status(withdrawal.TxId!, ct);
        if (status is not { State: TransactionState.Included, Height: { } height, BlockHash: { } hash }
            || await db.ConfirmationsOf(chain.Id, height, hash, ct) < CurrencyOf(withdrawal).Confirmations)
            return;
        await finish.Settle(withdrawal, blockHeight: height);
        await Reach("settled");
    }, ct);

    private async Task Each(IChain chain, WithdrawalState[] states, Func<Withdrawal, Task> work, CancellationToken ct)
    {
        List<Withdrawal> batch;
        var after = Guid.Empty;
        do
        {
            batch = await db.WithdrawalsOn(chain.Id, states, after, BatchMax, ct);
            foreach (var withdrawal in batch)
                await work(withdrawal);
            after = batch.Count == 0 ? after : batch[^1].Id.Value;
        }
        while (batch.Count == BatchMax);
    }

    private async Task Send(IChain chain, Withdrawal withdrawal, CancellationToken ct)
    {
        // Not approved, or taken back meanwhile: null.
        if (await MakeBytes(withdrawal, ct) is not { } bytes)
            return;
        try
        {
            await chain.Broadcast(bytes, ct);
        }
        catch (ChainFault fault) when (!fault.Retryable)
        {
            // The simulated chain never takes these bytes, so nobody was paid and nobody will be.
            await finish.Fail(withdrawal, fault.Message);
            await Reach("settled");
            return;
        }

        await Reach("sent");
        await db.Transaction((tx, token) => tx.MarkSubmitted(withdrawal, time.GetUtcNow(), token), ct, repeatable: true);
        await Reach("sent and marked");
    }

    /// <summary>Of two processes that make bytes at once, both send those of the one that kept his.</summary>
    private async Task<byte[]?> MakeBytes(Withdrawal withdrawal, CancellationToken ct)
    {
        var kind = CurrencyOf(withdrawal).Contract is null ? TransferKind.Native : TransferKind.Token;
        var output = new SimulatedOutput(kind, withdrawal.Address, withdrawal.Currency, withdrawal.Amount);
        var made = new SimulatedTransaction(withdrawal.Id.ToString(), output).ToBytes();
        var txId = SimulatedTransaction.Id(made);
        var kept = await db.Transaction(
            (tx, token) => tx.KeepBytes(withdrawal, txId, made, time.GetUtcNow(), token), ct, repeatable: true);
        await Reach("bytes kept");
        return kept;
    }

    private Currency CurrencyOf(Withdrawal withdrawal) => currencies.TryFind(withdrawal.Currency, out var currency)
        ? currency
        : throw new InvalidOperationException(
            $"{withdrawal.Currency} has withdrawals that are not finished; put it back into the currency file.");

    private Task Reach(string point) => at is null ? Task.CompletedTask : at(point);
}
