using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Coffer.Tests.Chains.Evm;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Coffer.Tests.Chains.Tron;

/// <summary>
/// No Tron node can be had, so this answers in the shapes of java-tron what a real EVM node has: block ids that begin with the height, its
/// own interface from the blocks that are final, quantities with leading zeros. A payment of coin there may be shown here as another kind of
/// contract, which the Ethereum shape, as in java-tron, does not tell.
/// </summary>
internal sealed class TronStub : IAsyncDisposable
{
    private readonly Dictionary<string, string> ids = [];
    private readonly Anvil behind;
    private readonly WebApplication app;

    private TronStub(Anvil behind, WebApplication app) => (this.behind, this.app) = (behind, app);

    public Uri Url => new(app.Urls.First());

    /// <summary>How many blocks wait to be final.</summary>
    public int Waiting { get; set; }

    /// <summary>Another contract type for a payment, by transaction.</summary>
    public Dictionary<string, string> Types { get; } = [];

    /// <summary>Another result than what the receipt says, by transaction.</summary>
    public Dictionary<string, string> Results { get; } = [];

    /// <summary>How Tron calls a transaction of the node behind, both without <c>0x</c>.</summary>
    public Dictionary<string, string> Renamed { get; } = [];

    /// <summary>What a transaction burnt, in sun.</summary>
    public Dictionary<string, long> Fees { get; } = [];

    /// <summary>Answers instead, by the path; null passes on.</summary>
    public Func<string, JsonObject, JsonNode?> Instead { get; set; } = (_, _) => null;

    /// <summary>The paths that were asked, and the methods of the Ethereum shape.</summary>
    public List<string> Asked { get; } = [];

    public string? ApiKey { get; private set; }

    /// <summary>Where the Ethereum shape comes from; null: from the node behind, changed into java-tron's.</summary>
    public Uri? Ethereal { get; set; }

    public static async Task<TronStub> Start(Anvil behind)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var stub = new TronStub(behind, builder.Build());
        stub.app.Run(stub.Answer);
        await stub.app.StartAsync();
        return stub;
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private async Task Answer(HttpContext context)
    {
        ApiKey = context.Request.Headers["TRON-PRO-API-KEY"];
        var (path, body) = (context.Request.Path.Value!, (await JsonNode.ParseAsync(context.Request.Body))!);
        JsonNode? answer;
        if (path == "/jsonrpc")
            answer = await Ethereum(body);
        else
        {
            lock (Asked)
                Asked.Add(path);
            answer = Instead(path, body.AsObject()) ?? await Own(path, body.AsObject());
        }
        await context.Response.WriteAsync(answer.ToJsonString());
    }

    private async Task<JsonNode> Own(string path, JsonObject body) => path switch
    {
        "/walletsolidity/getnowblock" => await Block(await Solid()),
        "/walletsolidity/getblockbynum" => body["num"]!.GetValue<long>() is var height && height <= await Solid() ? await Block(height) : [],
        "/walletsolidity/gettransactionbyid" => await Transaction(body, final: true),
        "/walletsolidity/gettransactioninfobyid" => new JsonObject
        {
            ["id"] = body["value"]!.DeepClone(),
            ["blockNumber"] = Number((await behind.Receipt("0x" + Real(body))).GetProperty("blockNumber")),
            ["fee"] = Fees.GetValueOrDefault(body["value"]!.GetValue<string>()),
        },
        "/wallet/gettransactionbyid" => await Transaction(body, final: false),
        "/wallet/gettransactionfrompending" => new JsonObject(),
        "/walletsolidity/getaccount" => await Account(body),
        "/walletsolidity/triggerconstantcontract" => new JsonObject
        {
            ["result"] = new JsonObject { ["result"] = true },
            ["constant_result"] = new JsonArray((await behind.Call("eth_call",
                new { to = "0x" + body["contract_address"]!.GetValue<string>()[2..], data = "0x70a08231" + body["parameter"] },
                Anvil.Hex(await Solid()))).GetString()![2..]),
        },
        "/wallet/getchainparameters" => JsonNode.Parse(
            """{"chainParameter":[{"key":"getTransactionFee","value":1000},{"key":"getEnergyFee","value":210},{"key":"getAllowSmth"}]}""")!,
        _ => new JsonObject { ["Error"] = "class org.tron.core.exception : no such thing" },
    };

    private string Real(JsonObject body) => body["value"]!.GetValue<string>() is var id
        && Renamed.FirstOrDefault(one => one.Value == id).Key is { } real ? real : body["value"]!.GetValue<string>();

    private async Task<long> Solid() => await behind.Height() - Waiting;

    private async Task<JsonObject> Block(long height)
    {
        var block = await behind.Call("eth_getBlockByNumber", Anvil.Hex(height), true);
        var transactions = new JsonArray();
        foreach (var one in block.GetProperty("transactions").EnumerateArray())
            transactions.Add(await Transaction(one));
        var answer = new JsonObject
        {
            ["blockID"] = await Id(height),
            ["block_header"] = new JsonObject
            {
                ["raw_data"] = new JsonObject
                {
                    ["number"] = height,
                    ["parentHash"] = await Id(height - 1),
                    ["timestamp"] = Number(block.GetProperty("timestamp")) * 1_000,
                },
            },
        };
        if (transactions.Count > 0)
            answer["transactions"] = transactions;
        return answer;
    }

    private async Task<JsonObject> Transaction(JsonObject body, bool final)
    {
        var one = await behind.Call("eth_getTransactionByHash", "0x" + Real(body));
        if (one.ValueKind == JsonValueKind.Null)
            return [];
        var mined = one.GetProperty("blockNumber").ValueKind != JsonValueKind.Null;
        return !final || (mined && Number(one.GetProperty("blockNumber")) <= await Solid()) ? await Transaction(one) : [];
    }

    private async Task<JsonObject> Transaction(JsonElement one)
    {
        var (hash, input) = (one.GetProperty("hash").GetString()!, one.GetProperty("input").GetString()!);
        var type = Types.GetValueOrDefault(hash, input == "0x" ? "TransferContract" : "TriggerSmartContract");
        var value = new JsonObject { ["owner_address"] = "41" + one.GetProperty("from").GetString()![2..] };
        var to = one.GetProperty("to").GetString() is { } address ? "41" + address[2..] : null;
        var amount = BigInteger.Parse("0" + one.GetProperty("value").GetString()![2..], NumberStyles.HexNumber);
        if (type == "TriggerSmartContract")
            (value["contract_address"], value["data"]) = (to, input[2..]);
        else
            (value["to_address"], value["amount"]) = (to, (long)BigInteger.Min(amount, long.MaxValue));
        if (type == "TransferAssetContract")
            value["asset_name"] = Convert.ToHexStringLower(Encoding.ASCII.GetBytes("1000001"));
        var status = one.GetProperty("blockNumber").ValueKind == JsonValueKind.Null ? null
            : (await behind.Receipt(hash)).GetProperty("status").GetString() == "0x1" ? "SUCCESS" : "REVERT";
        return new JsonObject
        {
            ["ret"] = new JsonArray(new JsonObject { ["contractRet"] = Results.GetValueOrDefault(hash, status ?? "") }),
            ["txID"] = Renamed.GetValueOrDefault(hash[2..], hash[2..]),
            ["raw_data"] = new JsonObject
            {
                ["contract"] = new JsonArray(new JsonObject
                {
                    ["parameter"] = new JsonObject { ["value"] = value, ["type_url"] = $"type.googleapis.com/protocol.{type}" },
                    ["type"] = type,
                }),
            },
        };
    }

    private async Task<JsonObject> Account(JsonObject body)
    {
        var owner = body["address"]!.GetValue<string>();
        var balance = await behind.Call("eth_getBalance", "0x" + owner[2..], Anvil.Hex(await Solid()));
        var sun = BigInteger.Parse("0" + balance.GetString()![2..], NumberStyles.HexNumber);
        return sun.IsZero ? [] : new JsonObject { ["address"] = owner, ["balance"] = (long)sun };
    }

    // Everything as the node behind says it, but for the block ids, and with zeros in front of quantities.
    private async Task<JsonNode> Ethereum(JsonNode body)
    {
        lock (Asked)
            Asked.AddRange(body is JsonArray all ? all.Select(one => one!["method"]!.GetValue<string>()) : [body["method"]!.GetValue<string>()]);
        for (var height = await behind.Height(); height >= 0; height--)
            await Id(height);
        var text = body.ToJsonString();
        if (Ethereal is not null)
            return JsonNode.Parse(await Post(Ethereal, text))!;
        foreach (var (real, id) in ids)
            text = text.Replace("0x" + id, real, StringComparison.Ordinal);
        foreach (var (real, id) in Renamed)
            text = text.Replace("0x" + id, "0x" + real, StringComparison.Ordinal);
        text = await Post(behind.Url, text);
        foreach (var (real, id) in ids)
            text = text.Replace(real, "0x" + id, StringComparison.Ordinal);
        foreach (var (real, id) in Renamed)
            text = text.Replace("0x" + real, "0x" + id, StringComparison.Ordinal);
        return JsonNode.Parse(text.Replace("\"blockNumber\":\"0x", "\"blockNumber\":\"0x00", StringComparison.Ordinal)
            .Replace("\"status\":\"0x", "\"status\":\"0x0", StringComparison.Ordinal))!;
    }

    private static async Task<string> Post(Uri place, string text)
    {
        using var http = new HttpClient();
        using var content = new StringContent(text, Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(place, content);
        return await response.Content.ReadAsStringAsync();
    }

    private async Task<string> Id(long height)
    {
        if (height < 0)
            return new string('0', 64);
        var real = (await behind.Call("eth_getBlockByNumber", Anvil.Hex(height), false)).GetProperty("hash").GetString()!;
        lock (ids)
            return ids[real] = height.ToString("x16", CultureInfo.InvariantCulture) + real[18..];
    }

    private static long Number(JsonElement hex) => long.Parse(hex.GetString()![2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
