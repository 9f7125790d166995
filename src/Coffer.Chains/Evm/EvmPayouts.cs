using System.Numerics;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Evm;

/// <summary>What a payment needs on an EVM chain now. A node takes it only while the wallet can pay all that is offered.</summary>
internal sealed record EvmTerms(EvmPrice Price, long Gas) : PayoutTerms(Price.Offered * Gas)
{
    public (EvmPrice Price, long Gas) Needs => (Price, Gas);
}

/// <summary>
/// Pays on an EVM chain from one address: one transaction (EIP-1559) for each payment, replaced by one with the same nonce and a higher
/// fee. A token is asked first whether it would pay.
/// </summary>
/// <param name="chain">The chain; its nodes are shared.</param>
/// <param name="address">The hot wallet's address, in the checksummed spelling.</param>
public sealed class EvmPayouts(EvmChain chain, string address) : IPayouts
{
    // Estimates of nodes are sometimes short; what is not used costs nothing.
    private const int GasMarginPercent = 25;
    private const long PlainGas = 21_000;

    // What nodes answer when a call fails as a call; other codes may be any trouble of theirs.
    private const int Reverted = 3, ExecutionError = -32015;

    private readonly string from = EvmChain.Hex(address);

    /// <inheritdoc/>
    public int OutputsMax => 1;

    /// <inheritdoc/>
    public Task<(long Latest, long Waiting)?> Nonces(CancellationToken ct) => chain.Pool.Use<(long, long)?>(async (node, token) =>
    {
        var replies = await node.Batch([Count("latest"), Count("pending")], token);
        return (replies[0].Result.Number(), replies[1].Result.Number());
    }, ct);

    /// <inheritdoc/>
    public async Task<PayoutTerms> Terms(IReadOnlyList<PayoutOutput> outputs, CancellationToken ct)
    {
        var output = outputs.SingleOrDefault();
        if (output is not null && EvmAddress.Read(output.Address) is null)
            throw Refuses(output, "it is no address");
        if (output?.Address == address)
            throw Refuses(output, "it is the hot wallet itself");
        return await chain.Pool.Use<PayoutTerms>(async (node, token) =>
        {
            var price = await EvmFees.ToBeMined(node, token);
            price = price with { Base = Int128.Max(price.Base, chain.Options.GasPriceMin) };
            return new EvmTerms(price, output is null ? PlainGas : await Gas(node, output, token));
        }, ct);
    }

    /// <inheritdoc/>
    public Planned Plan(IReadOnlyList<PayoutOutput> outputs, PayoutTerms terms, PayoutFunds funds)
    {
        var (price, gas) = ((EvmTerms)terms).Needs;
        var most = Int128.Min(price.Offered, funds.FeeMax / gas);
        if (most < price.Expected)
            return new Planned(null, NoPlan.FeeAboveMax);
        var (to, value, data) = outputs.Count == 0 ? (address, 0, []) : EvmTransfer.Call(outputs.Single());
        return Planned(new FeeMarketTransaction
        {
            ChainId = chain.Options.ChainId,
            Nonce = funds.Nonce!.Value,
            MaxPriorityFeePerGas = Int128.Min(price.Tip, most),
            MaxFeePerGas = most,
            Gas = gas,
            To = to,
            Value = value,
            Data = data,
        });
    }

    /// <inheritdoc/>
    public Planned Bump(PayoutPlan last, PayoutTerms terms, PayoutFunds funds)
    {
        var made = FeeMarketTransaction.Parse(last.Unsigned);
        var price = ((EvmTerms)terms).Price;
        // What pays today's price is not stuck for its price.
        if (made.MaxFeePerGas >= price.Expected && made.MaxPriorityFeePerGas >= price.Tip)
            return default;
        var tip = Int128.Max(Raised(made.MaxPriorityFeePerGas), price.Tip);
        var most = Int128.Min(Int128.Max(Raised(made.MaxFeePerGas), (2 * price.Base) + tip), funds.FeeMax / made.Gas);
        return most < Raised(made.MaxFeePerGas) || most < tip
            ? new Planned(null, NoPlan.FeeAboveMax)
            : Planned(made with { MaxPriorityFeePerGas = tip, MaxFeePerGas = most });
    }

    /// <inheritdoc/>
    public PayoutReading Read(ReadOnlyMemory<byte> unsigned) => EvmTransfer.Read(unsigned.Span, address) is var reading
        && reading.ChainId == chain.Options.ChainId ? reading
        : throw new KeyFault($"That is a transaction of another chain than {chain.Options.ChainId}.");

    /// <inheritdoc/>
    public SignedPayout Accept(ReadOnlyMemory<byte> unsigned, ReadOnlyMemory<byte> signed) =>
        EvmTransfer.Accept(unsigned.Span, signed.Span, address);

    /// <inheritdoc/>
    public Task<PayoutFate> Fate(PayoutClaim claim, IReadOnlyList<string> txIds, CancellationToken ct) =>
        chain.Pool.Use((node, token) => EvmFate.Of(node, from, claim.Nonce!.Value, txIds, token), ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<HotHolding>> Holdings(IReadOnlyList<string?> assets, CancellationToken ct) =>
        chain.Pool.Use<IReadOnlyList<HotHolding>>(async (node, token) =>
        {
            var holdings = new List<HotHolding>();
            foreach (var asset in assets)
                holdings.Add(new HotHolding(asset, (Int128)BigInteger.Min(await Held(node, asset, token), Amount.Max)));
            return holdings;
        }, ct);

    private Planned Planned(FeeMarketTransaction transaction)
    {
        var unsigned = transaction.Unsigned();
        return new Planned(new PayoutPlan(unsigned, Read(unsigned)), null);
    }

    /// <summary>
    /// The gas of a payment. One that the wallet cannot fund now is not tried: whether it would pay is found out when it can.
    /// </summary>
    private async Task<long> Gas(RpcNode node, PayoutOutput output, CancellationToken ct)
    {
        var usual = output.Asset is null ? chain.Options.GasPerTransfer : chain.Options.GasPerTokenTransfer;
        var held = await Held(node, output.Asset, ct);
        if (held < output.Amount)
            return usual;
        var (to, value, data) = EvmTransfer.Call(output);
        var call = new
        {
            from,
            to = EvmChain.Hex(to),
            value = "0x" + ((BigInteger)value).ToString("x", System.Globalization.CultureInfo.InvariantCulture).TrimStart('0').PadLeft(1, '0'),
            data = "0x" + Convert.ToHexStringLower(data),
        };
        RpcCall[] calls = [new("eth_call", call, "latest"), new("eth_estimateGas", call)];
        var replies = await node.Batch(calls, ct);
        if (replies[0].Error is { Code: not (Reverted or ExecutionError) })
        {
            // Codes differ; that the node says so again while it answers everything else is what counts.
            held = await Held(node, output.Asset, ct);
            replies = await node.Batch(calls, ct);
        }

        if (held < output.Amount)
            return usual;
        if (replies[0].Error is { } refused)
            throw Refuses(output, refused.Words);
        if (output.Asset is not null && !SaysYes(replies[0].Result.Text() ?? "0x"))
            throw Refuses(output, "it answers no");
        // No estimate without enough coin for the fee: the usual gas shows how much is lacking.
        if (replies[1].Error is not null)
            return usual;
        var gas = replies[1].Result.Number();
        // A token needs more for a receiver who by then has nothing of it.
        return output.Asset is null && gas == PlainGas ? gas : Math.Max(gas + (gas * GasMarginPercent / 100), usual);
    }

    /// <summary>What the wallet can pay of an asset. A contract that is none, or fails, must not hold up everything else: it pays nothing.</summary>
    private async Task<BigInteger> Held(RpcNode node, string? asset, CancellationToken ct)
    {
        try
        {
            return await EvmHoldings.Now(node, asset is null ? null : EvmChain.Hex(asset), from, ct);
        }
        catch (Exception fault) when (asset is not null
            && fault is ChainFault { Retryable: false } or RpcError { Code: Reverted or ExecutionError })
        {
            return 0;
        }
    }

    /// <summary>Tokens answer nothing (Tether) or one word that is not zero.</summary>
    private static bool SaysYes(string answer) => answer == "0x" || (EvmJson.Quantity(answer) is { IsZero: false });

    private ChainFault Refuses(PayoutOutput output, string why) => new(
        $"{chain.Id}: {(output.Asset is null ? "the receiver" : $"the token {output.Asset}")} refuses a payment to {output.Address}: {why}.",
        retryable: false);

    /// <summary>A replacement has to pay an eighth more, rounded up, at every node that is known.</summary>
    private static Int128 Raised(Int128 price) => price + Int128.Max((price + 7) / 8, 1);

    private RpcCall Count(string tag) => new("eth_getTransactionCount", from, tag);
}
