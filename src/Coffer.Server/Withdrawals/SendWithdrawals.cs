using Coffer.Chains;
using Coffer.Chains.Simulated;
using Coffer.Ledger;
using Coffer.Server.Ledger;
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
/// <param name="ledger">The ledger.</param>
/// <param name="currencies">The currencies that this server keeps.</param>
/// <param name="time">The clock.</param>
/// <param name="at">Called at each named point, so that a test can stop the work there; null in the product.</param>
internal sealed class SendWithdrawals(
    Db db, LedgerWriters ledger, Currencies currencies, TimeProvider time, Func<string, Task>? at = null)
{
    /// <summary>Withdrawals taken at once.</summary>
    public const int BatchMax = 1_000;

    /// <summary>Every point at which the work can be stopped.</summary>
    public static readonly IReadOnlyList<string> Points = ["bytes kept", "sent", "sent and marked", "settled"];

    private static readonly TimeSpan _forgetAfter = TimeSpan.FromDays(1);

    /// <summary>Hands over what the chain does not have yet. Throws <see cref="ChainFault"/> when it cannot take it now.</summary>
    public async Task Send(IChain chain, AccountId account, short shard, CancellationToken ct)
    {
        await db.Transaction((tx, token) => tx.ForgetRefused(shard, account, time.GetUtcNow() - _forgetAfter, token), ct, repeatable: true);
        List<Withdrawal> batch;
        do
        {
            batch = await db.UnsentWithdrawals(shard, account, BatchMax, ct);
            foreach (var withdrawal in batch)
                await Send(chain, account, shard, withdrawal, ct);
        }
        while (batch.Count == BatchMax);
    }

    /// <summary>Settles what has the confirmations that its currency asks for, counted in blocks that the follower has seen.</summary>
    public async Task Settle(IChain chain, AccountId account, short shard, CancellationToken ct)
    {
        List<Withdrawal> batch;
        var after = Guid.Empty;
        do
        {
            batch = await db.SentWithdrawals(shard, account, after, BatchMax, ct);
            foreach (var withdrawal in batch)
                if (await IsConfirmed(chain, withdrawal, ct))
                    await Finish(account, shard, withdrawal, settled: true, ct);
            after = batch.Count == 0 ? after : batch[^1].Id.Value;
        }
        while (batch.Count == BatchMax);
    }

    private async Task Send(IChain chain, AccountId account, short shard, Withdrawal withdrawal, CancellationToken ct)
    {
        if (withdrawal.State != MovementState.Requested)
        {
            await db.Transaction((tx, token) => tx.MarkFinished(shard, account, withdrawal, token), ct, repeatable: true);
            return;
        }

        var bytes = withdrawal.TxBytes ?? await MakeBytes(account, shard, withdrawal, ct);
        try
        {
            await chain.Broadcast(bytes, ct);
        }
        catch (ChainFault fault) when (!fault.Retryable)
        {
            // The simulated chain never takes these bytes, so nobody was paid and nobody will be.
            await Finish(account, shard, withdrawal, settled: false, ct);
            return;
        }

        await Reach("sent");
        await db.Transaction((tx, token) => tx.MarkSent(shard, account, withdrawal, time.GetUtcNow(), token), ct, repeatable: true);
        await Reach("sent and marked");
    }

    /// <summary>Of two processes that make bytes at once, both send those of the one that kept his.</summary>
    private async Task<byte[]> MakeBytes(AccountId account, short shard, Withdrawal withdrawal, CancellationToken ct)
    {
        var kind = CurrencyOf(withdrawal).Contract is null ? TransferKind.Native : TransferKind.Token;
        var output = new SimulatedOutput(kind, withdrawal.Address, withdrawal.Currency, withdrawal.Amount);
        var made = new SimulatedTransaction(withdrawal.Id.ToString(), output).ToBytes();
        var txId = SimulatedTransaction.Id(made);
        var kept = await db.Transaction(
            (tx, token) => tx.KeepBytes(shard, account, withdrawal, txId, made, token), ct, repeatable: true);
        await Reach("bytes kept");
        return kept;
    }

    private async Task Finish(AccountId account, short shard, Withdrawal withdrawal, bool settled, CancellationToken ct)
    {
        var (currency, reference) = (CurrencyOf(withdrawal), Reference.Of(withdrawal.ReferenceText));
        Command command = settled
            ? new SettleWithdrawal(account, withdrawal.Wallet, currency, reference)
            : new FailWithdrawal(account, withdrawal.Wallet, currency, reference);
        (await ledger.Write(shard, command)).Accepted();
        await Reach("settled");
        await db.Transaction((tx, token) => tx.MarkFinished(shard, account, withdrawal, token), ct, repeatable: true);
    }

    private async Task<bool> IsConfirmed(IChain chain, Withdrawal withdrawal, CancellationToken ct)
    {
        var status = await chain.Status(withdrawal.TxId!, ct);
        return status is { State: TransactionState.Included, Height: { } height, BlockHash: { } hash }
            && await db.ConfirmationsOf(chain.Id, height, hash, ct) >= CurrencyOf(withdrawal).Confirmations;
    }

    private Currency CurrencyOf(Withdrawal withdrawal) => currencies.TryFind(withdrawal.Currency, out var currency)
        ? currency
        : throw new InvalidOperationException(
            $"{withdrawal.Currency} has withdrawals that are not finished; put it back into the currency file.");

    private Task Reach(string point) => at is null ? Task.CompletedTask : at(point);
}
