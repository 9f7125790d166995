using System.Globalization;
using System.Numerics;
using System.Text.Json.Nodes;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Chains.Tron;
using Coffer.Tests.Chains.Evm;

namespace Coffer.Tests.Chains.Tron;

/// <summary>
/// What a Tron node does with payments: it checks signature, expiration and repetition as java-tron does, and the EVM node behind the stub
/// then moves the money in the sender's name. A test may lose a payment, or the answer to it.
/// </summary>
internal sealed class TronWallet
{
    private readonly Anvil behind;
    private readonly TronStub stub;

    public TronWallet(TronStub stub, Anvil behind)
    {
        (this.stub, this.behind) = (stub, behind);
        stub.Instead = (path, body) => Answer(path, body).GetAwaiter().GetResult();
    }

    /// <summary>The node says that it has a payment, and has forgotten it.</summary>
    public bool Loses { get; set; }

    /// <summary>The node takes a payment, and its answer does not come.</summary>
    public bool Hangs { get; set; }

    /// <summary>What came, in its order, with the node's word for it.</summary>
    public List<(string TxId, string Word)> Broadcasts { get; } = [];

    private async Task<JsonNode?> Answer(string path, JsonObject body) => path switch
    {
        "/wallet/broadcasthex" => await Broadcast(Convert.FromHexString(body["transaction"]!.GetValue<string>())),
        "/wallet/getnowblock" => new JsonObject
        {
            ["block_header"] = new JsonObject { ["raw_data"] = new JsonObject { ["timestamp"] = await Now() * 1_000 } },
        },
        "/wallet/getaccount" => await Account(body["address"]!.GetValue<string>()),
        "/wallet/getaccountresource" => new JsonObject(),
        "/wallet/getchainparameters" => JsonNode.Parse("""
            {"chainParameter":[{"key":"getTransactionFee","value":1000},{"key":"getEnergyFee","value":210},
            {"key":"getCreateAccountFee","value":100000},{"key":"getCreateNewAccountFeeInSystemContract","value":1000000}]}
            """),
        "/wallet/triggerconstantcontract" => body["function_selector"]!.GetValue<string>() == "balanceOf(address)"
            ? new JsonObject
            {
                ["result"] = new JsonObject { ["result"] = true },
                ["constant_result"] = new JsonArray((await behind.Call("eth_call", new
                {
                    to = "0x" + body["contract_address"]!.GetValue<string>()[2..],
                    data = "0x70a08231" + body["parameter"],
                }, "latest")).GetString()![2..]),
            }
            : JsonNode.Parse("""{"result":{"result":true},"energy_used":30000,"constant_result":[""]}"""),
        _ => null,
    };

    private async Task<JsonNode> Broadcast(byte[] signed)
    {
        var reader = new ProtobufReader(signed);
        var raw = reader.Bytes(1).ToArray();
        var reading = TronTransfer.Read(raw);
        var txId = TronTransfer.Accept(raw, signed, reading.From!).TxId;
        var word = reading.Claim.ExpiresAt!.Value.ToUnixTimeMilliseconds() <= await Now() * 1_000 ? "TRANSACTION_EXPIRATION_ERROR"
            : stub.Renamed.ContainsValue(txId) ? "DUP_TRANSACTION_ERROR" : "SUCCESS";
        Broadcasts.Add((txId, word));
        if (word == "SUCCESS" && !Loses)
            stub.Renamed[(await Move(reading.From!, reading.Outputs.Single()))[2..]] = txId;
        return Hangs ? new JsonObject { ["Error"] = "java.net.SocketTimeoutException" }
            : word == "SUCCESS" ? new JsonObject { ["result"] = true, ["txid"] = txId } : new JsonObject { ["code"] = word };
    }

    private async Task<string> Move(string from, PayoutOutput output)
    {
        var sender = TronAddress.ToHex(from);
        await behind.Call("anvil_impersonateAccount", sender);
        object transaction = output.Asset is { } token
            ? new
            {
                from = sender,
                to = TronAddress.ToHex(token),
                input = Abi.Call("transfer(address,uint256)", TronAddress.ToHex(output.Address), (BigInteger)output.Amount),
                gas = "0x100000",
            }
            : new { from = sender, to = TronAddress.ToHex(output.Address), value = Anvil.Hex((BigInteger)output.Amount), gas = "0x5208" };
        return (await behind.Call("eth_sendTransaction", transaction)).GetString()!;
    }

    private async Task<JsonObject> Account(string owner)
    {
        var balance = (await behind.Call("eth_getBalance", "0x" + owner[2..], "latest")).GetString()!;
        var sun = BigInteger.Parse("0" + balance[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return sun.IsZero ? [] : new JsonObject { ["address"] = owner, ["balance"] = (long)sun };
    }

    /// <summary>The time of the newest block, in seconds.</summary>
    public async Task<long> Now() => long.Parse(
        (await behind.Call("eth_getBlockByNumber", "latest", false)).GetProperty("timestamp").GetString()![2..], NumberStyles.HexNumber,
        CultureInfo.InvariantCulture);
}
