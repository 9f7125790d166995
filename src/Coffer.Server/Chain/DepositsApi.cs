using System.Text.Json;
using Coffer.Server.Auth;
using Coffer.Server.Host;

namespace Coffer.Server.Chain;

/// <summary>
/// <c>GET /deposits/{txid}</c>: where is my deposit? Says only what concerns the caller's own addresses: a transaction that pays somebody
/// else is answered exactly as one that nobody has seen.
/// </summary>
internal sealed class DepositsApi(FindDeposit find, SimulatedChains simulated, RealChains real)
{
    /// <summary>Longest text that is looked at.</summary>
    public const int TextMax = 100;

    /// <summary>Questions that may be at nodes at once, so that customers who ask cannot starve the followers.</summary>
    public const int AtOnceMax = 8;

    private readonly SemaphoreSlim _asking = new(AtOnceMax);

    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/deposits/{txid}", Show).RequireRead();

    private async Task Show(HttpContext http)
    {
        var caller = http.Caller();
        Input.Query(http).Check();
        var text = (string)http.Request.RouteValues["txid"]!;
        FollowedChain[] chains = caller.Mode == Mode.Test ? [simulated.Followed(caller.Account)] : [.. real.All.Select(chain => chain.Followed)];
        var asked = text.Length > TextMax ? [] : chains.Where(chain => chain.Chain.ReadTxId(text) is not null).ToArray();
        if (asked.Length == 0 && (chains.Length > 0 || text.Length > TextMax))
            throw new Refused(Refusal.Parameter("txid", "Send a transaction id of one of the networks of GET /currencies/."));
        var deposits = new List<FoundDeposit>();
        await _asking.WaitAsync(http.RequestAborted);
        try
        {
            foreach (var chain in asked)
                if (await find.On(chain, text, caller.Account, http.RequestAborted) is { } found)
                    deposits.AddRange(found.Deposits.Where(deposit => caller.MayUse(deposit.Wallet)));
        }
        finally
        {
            _asking.Release();
        }

        var txId = asked.Length == 0 ? text : asked[0].Chain.ReadTxId(text)!;
        await Answer.Json(http, StatusCodes.Status200OK, json => Write(json, txId, deposits));
    }

    private static void Write(Utf8JsonWriter json, string txId, List<FoundDeposit> deposits)
    {
        json.WriteStartObject();
        json.WriteString("txid"u8, txId);
        json.WriteString("status"u8, deposits.Count == 0 ? "not_seen" : "seen");
        json.WriteString("message"u8, deposits.Count == 0
            ? "No payment to one of your addresses was seen in this transaction. Check the transaction id, the network and the receiving "
                + "address; a payment that was just sent may take minutes to be seen."
            : null);
        json.WriteStartArray("deposits"u8);
        foreach (var deposit in deposits)
            Write(json, deposit);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, FoundDeposit deposit)
    {
        json.WriteStartObject();
        json.WriteString("status"u8, deposit.Explained.Status);
        json.WriteString("message"u8, deposit.Explained.Message);
        json.WriteString("what_to_do"u8, deposit.Explained.Customer);
        json.WriteString("blockchain"u8, deposit.Chain);
        json.WriteString("wallet_id"u8, deposit.Wallet.Value);
        json.WriteString("address"u8, deposit.Address);
        json.WriteString("currency"u8, deposit.Currency?.Code);
        json.WriteString("contract"u8, deposit.Currency is null ? deposit.Asset : deposit.Currency.Contract);
        json.WriteTransferred(deposit.Amount, deposit.Currency);
        if (deposit.Height is { } height)
            json.WriteNumber("height"u8, height);
        else
            json.WriteNull("height"u8);
        json.WriteNumber("confirmations"u8, deposit.Confirmations);
        if (deposit.Currency is { Finalized: false } counted)
            json.WriteNumber("required_confirmations"u8, counted.Confirmations);
        json.WriteEndObject();
    }
}
