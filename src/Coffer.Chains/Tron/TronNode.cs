using System.Numerics;
using System.Text.Json;
using Coffer.Chains.Evm;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Tron;

/// <summary>
/// Tron's own interface of one node, where native TRX has to be read: through the Ethereum shape a node fills <c>value</c> also for TRC-10
/// tokens that anybody can mint, for votes and for frozen amounts. <c>/walletsolidity/</c> answers from blocks that are final.
/// </summary>
/// <param name="Rpc">The same node.</param>
/// <param name="At">Where <c>jsonrpc</c>, <c>wallet/</c> and <c>walletsolidity/</c> are; ends with a slash.</param>
internal sealed record TronNode(RpcNode Rpc, Uri At)
{
    private const int IdDigits = 64, HeightDigits = 16;

    /// <summary>No time is later than this, in milliseconds.</summary>
    public const long TimeMax = 100_000_000_000_000;

    public static TronNode Of(Uri url, HttpClient http, TimeProvider time, string? apiKey)
    {
        var at = new UriBuilder(url);
        var path = at.Path.TrimEnd('/');
        at.Path = (path.EndsWith("/jsonrpc", StringComparison.Ordinal) ? path[..^"/jsonrpc".Length] : path) + "/";
        var key = apiKey is null ? ((string, string)?)null : ("TRON-PRO-API-KEY", apiKey);
        return new TronNode(new RpcNode(new Uri(at.Uri, "jsonrpc"), http, time, key), at.Uri);
    }

    /// <summary>Asks; an answer that says <c>Error</c> is a fault, for here it is the only way a node can refuse.</summary>
    public async Task<JsonElement> Ask(string path, object body, CancellationToken ct)
    {
        var answer = await Rpc.Post(new Uri(At, path), body, ct);
        if (answer.ValueKind != JsonValueKind.Object && answer.ValueKind != JsonValueKind.Array)
            throw new RpcFault($"{Rpc.Name} answers {path} with no object.");
        return answer.Member("Error") is null ? answer : throw new RpcFault($"{Rpc.Name} refuses {path}.");
    }

    /// <summary>The highest final block; its transactions are left out.</summary>
    public async Task<EvmBlock> Tip(CancellationToken ct) => Read(await Ask("walletsolidity/getnowblock", new { }, ct));

    /// <summary>The final block at a height that is not above <see cref="Tip"/>.</summary>
    public async Task<EvmBlock> Block(long height, CancellationToken ct)
    {
        var block = Read(await Ask("walletsolidity/getblockbynum", new { num = height }, ct));
        return block.Height == height ? block : throw new RpcFault($"{Rpc.Name}: asked for block {height}, block {block.Height} came.");
    }

    /// <summary>The text of hex digits without <c>0x</c>, as everything in this interface is written.</summary>
    public static string Hex(JsonElement json, string name, int digits) =>
        json.Text(name) is var text && EvmJson.IsHex("0x" + text, digits + 2)
            ? "0x" + text.ToLowerInvariant() : throw new RpcFault($"An answer has no valid {name}.");

    /// <summary>An address: 21 bytes, of which the first is always the same, answered as the 20 others.</summary>
    public static string Address(JsonElement json, string name) =>
        Hex(json, name, EvmJson.AddressLength) is var text && text.StartsWith("0x41", StringComparison.Ordinal)
            ? string.Concat("0x", text.AsSpan(4)) : throw new RpcFault($"An answer has no valid {name}.");

    /// <summary>The one contract of a transaction: the chain takes no other number of them.</summary>
    public static (string Type, JsonElement Value) Contract(JsonElement transaction)
    {
        if (transaction.Member("raw_data") is { } raw && raw.Items("contract").ToArray() is [var only]
            && only.Member("parameter")?.Member("value") is { } value)
            return (only.Text("type"), value);
        throw new RpcFault("A transaction does not have one contract.");
    }

    /// <summary>True when the transaction did what it says.</summary>
    public static bool Succeeded(JsonElement transaction) =>
        transaction.Member("ret") is { ValueKind: JsonValueKind.Array } ret && ret.EnumerateArray().ToArray() is [var only]
        && only.Member("contractRet") is { ValueKind: JsonValueKind.String } result && result.ValueEquals("SUCCESS");

    /// <summary>A count of the smallest units, written as a JSON number; left out when it is zero.</summary>
    public static BigInteger Amount(JsonElement json, string name) => json.Member(name) is not { } amount ? BigInteger.Zero
        : amount.ValueKind == JsonValueKind.Number && amount.TryGetInt64(out var sun) && sun >= 0 ? sun
        : throw new RpcFault($"An answer has no valid {name}.");

    private static EvmBlock Read(JsonElement json)
    {
        var id = Hex(json, "blockID", IdDigits);
        var header = json.Member("block_header")?.Member("raw_data") ?? throw new RpcFault("A block has no header.");
        var height = (long)Amount(header, "number");
        if (!id.AsSpan(2, HeightDigits).SequenceEqual(height.ToString("x16", System.Globalization.CultureInfo.InvariantCulture)))
            throw new RpcFault($"Block {height} does not have its height in its id.");
        var (transactions, calls) = (new List<EvmTransaction>(), false);
        if (json.Member("transactions") is { ValueKind: JsonValueKind.Array } all)
            foreach (var one in all.EnumerateArray())
            {
                var (type, value) = Contract(one);
                transactions.Add(type == "TransferContract" && Succeeded(one)
                    ? new EvmTransaction(Hex(one, "txID", IdDigits), Address(value, "to_address"), Amount(value, "amount"), Succeeded: true)
                    : new EvmTransaction(Hex(one, "txID", IdDigits), null, 0));
                calls |= type == "TriggerSmartContract";
            }

        // The chain has no blooms. Where a contract was called, any log may be there, and "no logs" is looked at twice.
        var time = (long)BigInteger.Min(Amount(header, "timestamp"), TimeMax);
        return new EvmBlock(height, id, Hex(header, "parentHash", IdDigits), DateTimeOffset.FromUnixTimeMilliseconds(time),
            calls ? EvmBloom.Everything : null, transactions);
    }
}
