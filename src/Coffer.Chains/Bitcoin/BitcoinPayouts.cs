using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;

namespace Coffer.Chains.Bitcoin;

/// <summary>
/// Pays on Bitcoin from the coins of a hot wallet: one transaction for one or several payments, change to the wallet's next address. A
/// transaction may be replaced by one with the same inputs and a higher fee, and by nothing else.
/// </summary>
/// <param name="chain">The chain; its nodes are shared.</param>
/// <param name="hot">The wallet's addresses.</param>
/// <param name="coins">The coins that the books call unspent; asked for <see cref="Holdings"/> alone.</param>
public sealed class BitcoinPayouts(
    BitcoinChain chain, HotAddresses hot, Func<CancellationToken, Task<IReadOnlyList<HotCoin>>> coins) : IPayouts
{
    private readonly BitcoinCoins node = new(chain.Options.Network, chain.Reader);

    /// <inheritdoc/>
    public int OutputsMax => BitcoinLimits.OutputsMax;

    private BitcoinNetwork Network => chain.Options.Network;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<HotCoin>> Unspent(IReadOnlyList<HotCoin> coins, CancellationToken ct) =>
        coins.Count == 0 ? [] : await chain.Pool.Use((rpc, token) => node.Unspent(rpc, coins, mempool: true, token), ct);

    /// <inheritdoc/>
    public (string Address, string Path)? Change(long number) => hot.Change(number) is var own ? (own.Address, own.Path) : null;

    /// <inheritdoc/>
    public async Task<PayoutTerms> Terms(IReadOnlyList<PayoutOutput> outputs, CancellationToken ct)
    {
        // First without a rate: what is wrong with the payments needs no node.
        _ = BitcoinTerms.At(0, outputs, Network, hot);
        var rate = await chain.Pool.Use((rpc, token) => BitcoinSend.Rate(rpc, chain.Options.FeeFallback, token), ct);
        return BitcoinTerms.At(rate, outputs, Network, hot);
    }

    /// <inheritdoc/>
    public Planned Plan(IReadOnlyList<PayoutOutput> outputs, PayoutTerms terms, PayoutFunds funds)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(outputs.Count, OutputsMax, nameof(outputs));
        var scripts = outputs.Select(output => BitcoinAddress.ToScript(output.Address, Network)!).ToList();
        var (choice, whyNot) = ChooseCoins.For(funds.Coins, Sum(outputs.Select(output => output.Amount)),
            BitcoinSize.Without(scripts.Select(script => script.Length)), ((BitcoinTerms)terms).Rate, Bounded(funds.FeeMax));
        if (choice is null)
            return new Planned(null, whyNot);
        var payments = outputs.Zip(scripts, (output, script) => new PaymentOutput((long)output.Amount, script, null)).ToList();
        if (choice.Change > 0)
        {
            var own = hot.Find(funds.Change!.Value.Address)!;
            payments.Add(ChangeOf(choice.Change, [.. own.Key], own.Path));
        }

        return Planned(new BitcoinPayment([.. choice.Coins.Select(Input)], payments));
    }

    /// <inheritdoc/>
    public Planned Bump(PayoutPlan last, PayoutTerms terms, PayoutFunds funds)
    {
        var payment = Psbt.Read(last.Unsigned, hot.Fingerprint);
        var paid = payment.Outputs.Where(output => output.Own is null).ToList();
        var size = BitcoinSize.Without(paid.Select(output => output.Script.Length)) + (payment.Inputs.Count * BitcoinSize.Input);
        if (payment.Outputs.Count == paid.Count)
            return new Planned(null, NoPlan.TooLittleForFee);
        var (_, change, whyNot) = BumpFee.For(payment.Inputs.Sum(input => input.Value), paid.Sum(output => output.Value), payment.Fee, size,
            ((BitcoinTerms)terms).Rate, Bounded(funds.FeeMax));
        if (whyNot is not null)
            return new Planned(null, whyNot);
        var (key, path) = payment.Outputs.First(output => output.Own is not null).Own!.Value;
        return Planned(payment with { Outputs = change == 0 ? paid : [.. paid, ChangeOf(change, key, path)] });
    }

    /// <inheritdoc/>
    public PayoutReading Read(ReadOnlyMemory<byte> unsigned) => BitcoinTransfer.Read(unsigned, hot, Network);

    /// <inheritdoc/>
    public SignedPayout Accept(ReadOnlyMemory<byte> unsigned, ReadOnlyMemory<byte> signed)
    {
        _ = Read(unsigned);
        return BitcoinTransfer.Accept(unsigned, signed, hot);
    }

    /// <inheritdoc/>
    public Task<PayoutFate> Fate(PayoutClaim claim, IReadOnlyList<string> txIds, CancellationToken ct) =>
        chain.Pool.Use((rpc, token) => BitcoinFate.Of(rpc, node, claim, txIds, token), ct);

    /// <summary>As <see cref="IPayouts.Holdings"/>: the coins that no payout has and that the node has unspent too.</summary>
    public async Task<IReadOnlyList<HotHolding>> Holdings(IReadOnlyList<string?> assets, CancellationToken ct)
    {
        var unspent = await Unspent(await coins(ct), ct);
        var sum = unspent.Aggregate(Int128.Zero, (sum, coin) => sum + coin.Amount);
        return [.. assets.Select(asset => new HotHolding(asset, asset is null ? sum : 0))];
    }

    private Planned Planned(BitcoinPayment payment)
    {
        var psbt = Psbt.Write(payment, hot.Fingerprint);
        return new Planned(new PayoutPlan(psbt, Read(psbt)), null);
    }

    private PaymentInput Input(HotCoin coin)
    {
        var own = hot.Find(coin.Address) ?? throw new KeyFault($"{coin.Address} is no address of the hot wallet.");
        return new PaymentInput(new Outpoint(RawHash.Parse(coin.TxId)!.Value, (uint)coin.Ordinal), (long)coin.Amount, [.. own.Key], own.Path);
    }

    private static PaymentOutput ChangeOf(long value, byte[] key, string path) => new(value, BitcoinAddress.KeyScript(key), (key, path));

    private static long Sum(IEnumerable<Int128> amounts) => (long)amounts.Aggregate(Int128.Zero, (sum, amount) => sum + amount);

    private static long Bounded(Int128 feeMax) => (long)Int128.Min(feeMax, RawTransaction.ValueMax);
}
