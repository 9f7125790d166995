using System.Numerics;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;

namespace Coffer.Chains.Tron;

/// <summary>
/// Pays on Tron from one address: TRX, and TRC-20 tokens. A transaction here has no nonce; it names a block and a time after which no block
/// takes it. That is what makes paying again safe: only a payment that has expired and is in no final block is made anew, so it is never
/// replaced while it lives.
/// </summary>
/// <param name="chain">The chain; its nodes are shared.</param>
/// <param name="address">The hot wallet's address.</param>
/// <param name="life">How long a transaction may be mined, counted from the newest block: see <see cref="Life"/>.</param>
public sealed class TronPayouts(TronChain chain, string address, TimeSpan life) : IPayouts
{
    /// <summary>What a transaction needs to be signed by a machine and mined, and no more: a payment that was lost waits so long.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    /// <summary>What somebody needs who signs by hand; the chain allows a day.</summary>
    public static readonly TimeSpan ColdLife = TimeSpan.FromHours(12);

    /// <summary>So many milliseconds at most a payout lives longer than it has to.</summary>
    private const int ApartMax = 60_000;

    /// <inheritdoc/>
    public int OutputsMax => 1;

    /// <inheritdoc/>
    public async Task<PayoutTerms> Terms(IReadOnlyList<PayoutOutput> outputs, CancellationToken ct)
    {
        var output = outputs.Single();
        if (TronAddress.Read(output.Address) is null)
            throw new ChainFault($"{output.Address} is no address of Tron.", retryable: false);
        if (output.Address == address)
            throw new ChainFault($"{output.Address} is the hot wallet itself.", retryable: false);
        if (output.Asset is null && output.Amount > long.MaxValue)
            throw new ChainFault($"{output.Amount} sun are more than there can be.", retryable: false);
        return await chain.Use((node, token) => TronAsk.Terms(node, address, output, token), ct);
    }

    /// <inheritdoc/>
    public Planned Plan(IReadOnlyList<PayoutOutput> outputs, PayoutTerms terms, PayoutFunds funds)
    {
        var (output, said) = (outputs.Single(), (TronTerms)terms);
        if (said.Held < (BigInteger)output.Amount)
            return new Planned(null, NoPlan.TooLittle);
        if (said.HeldForFee < (BigInteger)said.FeeExpected + (output.Asset is null ? (BigInteger)output.Amount : 0))
            return new Planned(null, NoPlan.TooLittleForFee);

        // Two payments of the same amount to the same address would be one transaction: the payout's number tells them apart.
        var apart = TimeSpan.FromMilliseconds((funds.Nonce ?? 0) % ApartMax);
        var unsigned = TronTransfer.Build(address, output, said.Reference, said.Time + life + apart, said.Time, said.FeeLimit);
        var reading = Read(unsigned);
        return reading.FeeMax <= funds.FeeMax ? new Planned(new PayoutPlan(unsigned, reading), null) : new Planned(null, NoPlan.FeeAboveMax);
    }

    /// <summary>Nothing: what was sent is waited for until it expires. Nobody takes a higher fee here, and two could both be mined.</summary>
    public Planned Bump(PayoutPlan last, PayoutTerms terms, PayoutFunds funds) => new(null, null);

    /// <inheritdoc/>
    public PayoutReading Read(ReadOnlyMemory<byte> unsigned) => TronTransfer.Read(unsigned.Span) is var reading && reading.From == address
        ? reading : throw new KeyFault($"The transaction on Tron is from {reading.From}, not from the hot wallet {address}.");

    /// <inheritdoc/>
    public SignedPayout Accept(ReadOnlyMemory<byte> unsigned, ReadOnlyMemory<byte> signed) =>
        TronTransfer.Accept(unsigned.Span, signed.Span, address);

    /// <inheritdoc/>
    public string? TxIdOf(ReadOnlyMemory<byte> unsigned) => Convert.ToHexStringLower(TronRawData.Hash(unsigned.Span));

    /// <inheritdoc/>
    public Task<PayoutFate> Fate(PayoutClaim claim, IReadOnlyList<string> txIds, CancellationToken ct) =>
        chain.Use((node, token) => TronFate.Of(node, TronChain.Spelling, claim, txIds, token), ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<HotHolding>> Holdings(IReadOnlyList<string?> assets, CancellationToken ct) =>
        chain.Use<IReadOnlyList<HotHolding>>(async (node, token) =>
        {
            var holdings = new List<HotHolding>(assets.Count);
            foreach (var asset in assets)
            {
                var held = asset is null ? await TronAsk.Balance(node, address, token) : await TronAsk.Balance(node, asset, address, token);
                holdings.Add(new HotHolding(asset, (Int128)BigInteger.Min(held, (BigInteger)Amount.Max)));
            }

            return holdings;
        }, ct);
}
