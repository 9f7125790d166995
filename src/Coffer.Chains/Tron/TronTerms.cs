using System.Numerics;
using System.Text.Json;
using Coffer.Chains.Evm;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Tron;

/// <summary>What a node said that a transaction on Tron needs now; amounts in sun.</summary>
/// <param name="FeeExpected">What it will burn: energy, bandwidth and activation that staked and free resources do not cover.</param>
/// <param name="Reference">A final block: the transaction names it and is valid only on a chain that has it.</param>
/// <param name="Time">The time of the node's newest block, from which the expiration counts.</param>
/// <param name="FeeLimit">Tokens: the most that the call may burn for energy; 0 for TRX.</param>
/// <param name="Held">What the hot wallet has of what is paid.</param>
/// <param name="HeldForFee">What it has of TRX.</param>
public sealed record TronTerms(Int128 FeeExpected, (long Height, string Hash) Reference, DateTimeOffset Time, long FeeLimit, BigInteger Held,
    BigInteger HeldForFee) : PayoutTerms(FeeExpected);

/// <summary>Asks what a payment needs: prices, what the receiver's token does with it, what the hot wallet has.</summary>
internal static class TronAsk
{
    /// <summary>An estimate may be short of what is used when the block comes: contracts in demand get dearer by the hour.</summary>
    public const int EnergyPercent = 130;

    private const string Transfer = "transfer(address,uint256)";

    /// <summary>
    /// The terms of one payment. A <see cref="ChainFault"/> that is not retryable when the token refuses it although the hot wallet has
    /// enough.
    /// </summary>
    public static async Task<TronTerms> Terms(TronNode node, string from, PayoutOutput output, CancellationToken ct)
    {
        var final = await node.Tip(ct);
        var newest = await Newest(node, ct);
        var prices = (await node.Ask("wallet/getchainparameters", new { }, ct)).Items("chainParameter").ToArray();
        var account = await node.Ask("wallet/getaccount", new { address = Owner(from) }, ct);
        var coin = TronNode.Amount(account, "balance");
        var (energyFree, bytesFree) = await Resources(node, from, ct);
        var bytes = output.Asset is null ? TronLimits.BytesPerTransfer : TronLimits.BytesPerTokenTransfer;
        var bandwidth = bytesFree >= bytes ? 0 : bytes * Price(prices, "getTransactionFee");
        var reference = (final.Height, final.Hash[2..]);
        if (output.Asset is null)
        {
            // Whoever has never had anything is made an account of, at the sender's cost.
            var known = (await node.Ask("wallet/getaccount", new { address = Owner(output.Address) }, ct)).Member("address") is not null;
            var fee = known ? bandwidth
                : Price(prices, "getCreateAccountFee") + Price(prices, "getCreateNewAccountFeeInSystemContract");
            return new TronTerms(fee, reference, newest, 0, coin, coin);
        }

        var held = await Balance(node, output.Asset, from, ct);
        var price = Price(prices, "getEnergyFee");
        var energy = held < (BigInteger)output.Amount ? TronLimits.EnergyPerTokenTransfer : await Energy(node, from, output, ct);
        var burnt = Int128.Max(0, energy - energyFree) * price;
        var limit = (Int128)energy * EnergyPercent / 100 * price;
        return new TronTerms(burnt + bandwidth, reference, newest, (long)limit, held, coin);
    }

    /// <summary>What an address has of a token after the node's newest block.</summary>
    public static async Task<BigInteger> Balance(TronNode node, string asset, string address, CancellationToken ct)
    {
        var answer = await node.Ask("wallet/triggerconstantcontract", new
        {
            owner_address = Owner(address),
            contract_address = Owner(asset),
            function_selector = "balanceOf(address)",
            parameter = Word(address),
        }, ct);
        return answer.Member("constant_result") is { ValueKind: JsonValueKind.Array } result && result.GetArrayLength() == 1
            && result[0].Text() is { } word && EvmJson.IsHex("0x" + word, EvmJson.WordLength) ? EvmJson.Quantity("0x" + word)!.Value
            : throw new ChainFault($"The contract {asset} does not answer with a balance.", retryable: true);
    }

    /// <summary>What an address has of TRX after the node's newest block.</summary>
    public static async Task<BigInteger> Balance(TronNode node, string address, CancellationToken ct) =>
        TronNode.Amount(await node.Ask("wallet/getaccount", new { address = Owner(address) }, ct), "balance");

    /// <summary>A price in sun from the chain's parameters.</summary>
    public static Int128 Price(IReadOnlyList<JsonElement> parameters, string name) =>
        parameters.FirstOrDefault(one => one.Text("key") == name) is { ValueKind: JsonValueKind.Object } found
            ? Int128.Max((Int128)TronNode.Amount(found, "value"), TronLimits.PriceMin)
            : throw new RpcFault($"The node does not say {name}.");

    /// <summary>The energy that the payment takes, tried without doing it.</summary>
    private static async Task<long> Energy(TronNode node, string from, PayoutOutput output, CancellationToken ct)
    {
        var answer = await node.Ask("wallet/triggerconstantcontract", new
        {
            owner_address = Owner(from),
            contract_address = Owner(output.Asset!),
            function_selector = Transfer,
            parameter = Word(output.Address) + output.Amount.ToString("x64", System.Globalization.CultureInfo.InvariantCulture),
        }, ct);
        var result = answer.Member("result") ?? throw new RpcFault("A tried call has no result.");
        var energy = (long)TronNode.Amount(answer, "energy_used");

        // A call that fails says so beside "true", in its message or in the return of the transaction that was tried.
        var failed = result.Member("result") is not { ValueKind: JsonValueKind.True } || result.Member("message") is not null
            || (answer.Member("transaction")?.Member("ret") is { ValueKind: JsonValueKind.Array } ret
                && ret.EnumerateArray().Any(one => one.Member("ret")?.Text() is "FAILED" or "FAILURE"));
        if (failed)
            throw new ChainFault($"The token {output.Asset} refuses a payment to {output.Address}.", retryable: false);
        return energy > 0 ? energy : throw new RpcFault("A tried call took no energy.");
    }

    private static async Task<(long Energy, long Bytes)> Resources(TronNode node, string address, CancellationToken ct)
    {
        var said = await node.Ask("wallet/getaccountresource", new { address = Owner(address) }, ct);
        long Left(string limit, string used) => (long)BigInteger.Max(0, TronNode.Amount(said, limit) - TronNode.Amount(said, used));
        return (Left("EnergyLimit", "EnergyUsed"), Math.Max(Left("freeNetLimit", "freeNetUsed"), Left("NetLimit", "NetUsed")));
    }

    private static async Task<DateTimeOffset> Newest(TronNode node, CancellationToken ct)
    {
        var header = (await node.Ask("wallet/getnowblock", new { }, ct)).Member("block_header")?.Member("raw_data")
            ?? throw new RpcFault("A block has no header.");
        return DateTimeOffset.FromUnixTimeMilliseconds((long)BigInteger.Min(TronNode.Amount(header, "timestamp"), TronNode.TimeMax));
    }

    private static string Owner(string address) => "41" + TronAddress.ToHex(address)[2..];

    private static string Word(string address) => TronAddress.ToHex(address)[2..].PadLeft(EvmJson.WordLength - 2, '0');
}
