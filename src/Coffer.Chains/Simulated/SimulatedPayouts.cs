using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;

namespace Coffer.Chains.Simulated;

/// <summary>
/// Paying on a simulated chain: nobody signs, so unsigned and signed bytes are the same, and there is always enough. Everything else goes
/// the way of real chains.
/// </summary>
/// <param name="chain">The chain.</param>
/// <param name="kindOf">How a currency moves.</param>
public sealed class SimulatedPayouts(SimulatedChain chain, Func<string, TransferKind> kindOf) : IPayouts
{
    private sealed record Free() : PayoutTerms(0);

    /// <inheritdoc/>
    public int OutputsMax => 1;

    /// <inheritdoc/>
    public Task<PayoutTerms> Terms(IReadOnlyList<PayoutOutput> outputs, CancellationToken ct) => Task.FromResult<PayoutTerms>(new Free());

    /// <inheritdoc/>
    public Planned Plan(IReadOnlyList<PayoutOutput> outputs, PayoutTerms terms, PayoutFunds funds)
    {
        var output = outputs.Single();
        var transaction = new SimulatedTransaction($"payout {chain.Id} {funds.Nonce}",
            new SimulatedOutput(kindOf(output.Asset!), output.Address, output.Asset!, output.Amount)).ToBytes();
        return new Planned(new PayoutPlan(transaction, Read(transaction)), null);
    }

    /// <summary>Nobody bids here, so there is never a higher fee.</summary>
    public Planned Bump(PayoutPlan last, PayoutTerms terms, PayoutFunds funds) => default;

    /// <inheritdoc/>
    public PayoutReading Read(ReadOnlyMemory<byte> unsigned) => SimulatedTransaction.Parse(unsigned.Span)?.Output is { } output
        ? new PayoutReading(null, [new PayoutOutput(output.Address, output.Currency, output.Amount)], [], 0, new PayoutClaim(null, [], null), null)
        : throw new KeyFault("That is no transaction of the simulated chain.");

    /// <inheritdoc/>
    public SignedPayout Accept(ReadOnlyMemory<byte> unsigned, ReadOnlyMemory<byte> signed) => unsigned.Span.SequenceEqual(signed.Span)
        ? new SignedPayout(SimulatedTransaction.Id(signed.Span), signed.ToArray())
        : throw new KeyFault("That is not the transaction that was planned.");

    /// <inheritdoc/>
    public async Task<PayoutFate> Fate(PayoutClaim claim, IReadOnlyList<string> txIds, CancellationToken ct)
    {
        foreach (var txId in txIds)
        {
            var status = await chain.Status(txId, ct);
            if (status.State == TransactionState.Included)
                return new PayoutFate(FateKind.Mined, txId, status.Height, status.BlockHash);
            if (status.State == TransactionState.Mempool)
                return new PayoutFate(FateKind.Waiting, txId);
        }

        return new PayoutFate(FateKind.Unknown);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<HotHolding>> Holdings(IReadOnlyList<string?> assets, CancellationToken ct) =>
        Task.FromResult<IReadOnlyList<HotHolding>>([.. assets.Select(asset => new HotHolding(asset, Amount.Max))]);
}
