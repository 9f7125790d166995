using System.Text.Json;
using Coffer.Chains;
using Coffer.Chains.Simulated;
using Coffer.Ledger;
using Coffer.Server.Addresses;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;
using Coffer.Server.Wallets;

namespace Coffer.Server.Chain;

/// <summary>
/// Drives the simulated chain of a test account (contract 7). The chain moves only when told. Each call that moves it answers when what it
/// did is in the ledger, so that the next read of a balance shows it.
/// </summary>
internal sealed class SandboxApi(Db db, SimulatedChains chains, FollowSimulatedChains follow, IdempotencyApi idempotency,
    IssueAddress issue, Currencies currencies, Ids ids, TimeProvider time)
{
    /// <summary>Lines that <c>GET /sandbox/</c> shows of each list.</summary>
    public const int LinesMax = 100;

    private static readonly Dictionary<string, BroadcastFault> _faults = new()
    {
        ["fail"] = BroadcastFault.Fail,
        ["hang"] = BroadcastFault.Hang,
        ["lose"] = BroadcastFault.Lose,
        ["forget"] = BroadcastFault.Forget,
    };

    /// <summary>How long a call waits for the follower; beyond it the answer says <c>caught_up: false</c> and the worker goes on.</summary>
    private static readonly TimeSpan _waitMax = TimeSpan.FromSeconds(30);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/sandbox", Show).RequireRead();
        routes.MapPost("/sandbox/deposits", http => Move(http, Deposit)).RequireWrite();
        routes.MapPost("/sandbox/blocks", http => Move(http, Mine)).RequireWrite();
        routes.MapPost("/sandbox/reorg", http => Move(http, Reorg)).RequireWrite();
        routes.MapPost("/sandbox/broadcasts", http => Move(http, Break)).RequireWrite();
    }

    private Task Move(HttpContext http, Func<HttpContext, Caller, string?, Task<Reply>> move)
    {
        var caller = TestCaller(http);
        return idempotency.Run(http, caller.Account, async key =>
        {
            try
            {
                return await move(http, caller, key);
            }
            catch (ChainFault fault) when (fault.Retryable)
            {
                throw new Refused(new(RefusalCode.ServiceUnavailable, "The simulated chain is busy. Send the request again in a moment."));
            }
        });
    }

    private async Task<Reply> Deposit(HttpContext http, Caller caller, string? key)
    {
        Input.Query(http).Check();
        var body = await Input.Body(http);
        var wallet = new WalletId(body.Uuid("wallet_id"));
        var currency = body.Currency("currency", currencies);
        var amount = body.Amount("amount", currency);
        var address = body.OptionalText("address");
        body.Check();
        if (!caller.MayUse(wallet) || await db.FindWallet(caller.Account, caller.Shard, wallet, http.RequestAborted) is null)
            throw new Refused(Refusal.NotFound("wallet"));

        var paid = address is null
            ? await OwnAddress(caller, wallet, currency, http.RequestAborted)
            : await GivenAddress(caller, wallet, address, http.RequestAborted);
        var kind = currency.Contract is null ? TransferKind.Native : TransferKind.Token;
        var seed = key is null ? ids.New() : Reference.Of($"sandbox:{key}").DigestIn(caller.Account);
        var output = new SimulatedOutput(kind, paid, currency.Code, amount);
        var txId = await chains.Of(caller.Account).Deposit(seed.ToString(), [output], CancellationToken.None);
        var caughtUp = await CatchUp(caller);
        return Reply.Json(StatusCodes.Status201Created, new DepositLine(txId, paid, caughtUp));
    }

    /// <summary>The wallet's own address on the network: its first one, watched before it is paid, so that no block can come first.</summary>
    private async Task<string> OwnAddress(Caller caller, WalletId wallet, Currency currency, CancellationToken ct)
    {
        var source = AddressSources.Simulated(caller.Account, wallet, currency.Network);
        var oldest = await db.OldestAddress(source.Family, source.Fingerprint, ct);
        return oldest is null
            ? (await issue.Run(caller.Account, caller.Shard, caller.Mode, wallet, currency, ct)).Address
            : issue.Genuine(oldest).Address;
    }

    /// <summary>One of the wallet's addresses, as a payer was shown it.</summary>
    private async Task<string> GivenAddress(Caller caller, WalletId wallet, string address, CancellationToken ct)
    {
        var issued = SimulatedAddress.IsValid(address)
            ? await db.FindAddress(SimulatedChain.IdOf(caller.Account), address, ct)
            : throw new Refused(new(RefusalCode.InvalidAddress, "That is no address of the simulated chain; POST /wallets/payment gives one.",
                new Dictionary<string, object> { ["address"] = new[] { "Send one of the wallet's addresses." } }));
        return issued?.Wallet == wallet ? issue.Genuine(issued).Address : throw new Refused(Refusal.NotFound("address"));
    }

    private async Task<Reply> Mine(HttpContext http, Caller caller, string? key)
    {
        Input.Query(http).Check();
        var body = await Input.Body(http);
        var count = body.Number("count", 1, 1, SimulatedLimits.BlocksPerCallMax);
        body.Check();
        // A withdrawal that was accepted before this call is in the next block.
        await follow.Send(caller.Account, caller.Shard, CancellationToken.None);
        var tip = await chains.Of(caller.Account).Mine(count, time.GetUtcNow(), 0, CancellationToken.None);
        return Reply.Json(StatusCodes.Status201Created, new TipLine(tip.Height, tip.Hash, await CatchUp(caller)));
    }

    private async Task<Reply> Reorg(HttpContext http, Caller caller, string? key)
    {
        Input.Query(http).Check();
        var body = await Input.Body(http);
        var depth = body.Number("depth", 1, 1, SimulatedLimits.BlocksPerCallMax);
        var returned = body.Flag("return");
        body.Check();
        var tip = await chains.Of(caller.Account).Reorg(depth, time.GetUtcNow(), returned, CancellationToken.None);
        return Reply.Json(StatusCodes.Status201Created, new TipLine(tip.Height, tip.Hash, await CatchUp(caller)));
    }

    /// <summary>The next withdrawals of the account go wrong on their way.</summary>
    private async Task<Reply> Break(HttpContext http, Caller caller, string? key)
    {
        Input.Query(http).Check();
        var body = await Input.Body(http);
        var word = body.Text("fault");
        var count = body.Number("count", 1, 1, SimulatedLimits.FaultsMax);
        if (!_faults.TryGetValue(word, out var fault))
            body.Fault("fault", $"Send one of {string.Join(", ", _faults.Keys)}.");
        body.Check();
        await chains.Of(caller.Account).Break(fault, count, CancellationToken.None);
        return Reply.Json(StatusCodes.Status201Created, new FaultLine(word, count));
    }

    /// <summary>The operation is in the log; from here on the worker would finish it too.</summary>
    private async Task<bool> CatchUp(Caller caller)
    {
        using var bound = new CancellationTokenSource(_waitMax, time);
        try
        {
            await follow.Follow(caller.Account, caller.Shard, bound.Token);
            return true;
        }
        catch (OperationCanceledException) when (bound.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task Show(HttpContext http)
    {
        var caller = TestCaller(http);
        Input.Query(http).Check();
        var chain = chains.Of(caller.Account);
        var tip = await chain.Tip(http.RequestAborted);
        var mempool = await chain.Mempool(http.RequestAborted);
        var cursor = await db.Cursor(chain.Id, http.RequestAborted);
        var waiting = await db.Waiting(chain.Id, LinesMax, http.RequestAborted);
        await Answer.Json(http, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("height"u8, tip.Height);
            json.WriteString("hash"u8, tip.Hash);
            json.WriteNumber("followed_height"u8, cursor?.Height ?? 0);
            json.WriteNumber("mempool_total"u8, mempool.Count);
            json.WriteStartArray("mempool"u8);
            foreach (var transfer in mempool.Take(LinesMax))
                Write(json, transfer);
            json.WriteEndArray();
            json.WriteStartArray("deposits"u8);
            foreach (var deposit in waiting.Where(deposit => caller.MayUse(deposit.Wallet)))
                Write(json, deposit, cursor?.Height ?? 0);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private void Write(Utf8JsonWriter json, ChainTransfer transfer)
    {
        json.WriteStartObject();
        json.WriteString("txid"u8, transfer.TxId);
        json.WriteString("address"u8, transfer.Address);
        json.WriteString("currency"u8, transfer.Asset);
        WriteAmount(json, transfer.Amount, transfer.Asset);
        json.WriteEndObject();
    }

    private void Write(Utf8JsonWriter json, Observation deposit, long height)
    {
        json.WriteStartObject();
        json.WriteString("txid"u8, deposit.TxId);
        json.WriteString("wallet_id"u8, deposit.Wallet.Value);
        json.WriteString("address"u8, deposit.Address);
        json.WriteString("currency"u8, deposit.Currency ?? deposit.Asset);
        WriteAmount(json, deposit.Amount, deposit.Currency);
        json.WriteNumber("height"u8, deposit.Height);
        json.WriteNumber("confirmations"u8, Math.Max(0, height - deposit.Height + 1));
        if (deposit.Currency is { } code)
            json.WriteNumber("required_confirmations"u8, currencies.Find(code).Confirmations);
        json.WriteString("not_credited_because"u8, deposit.Reason);
        json.WriteEndObject();
    }

    private void WriteAmount(Utf8JsonWriter json, System.Numerics.BigInteger amount, string? code) =>
        json.WriteTransferred(amount, currencies.TryFind(code, out var currency) ? currency : null);

    private static Caller TestCaller(HttpContext http) => http.Caller() is { Mode: Mode.Test } caller
        ? caller
        : throw new Refused(new(RefusalCode.Forbidden,
            "The sandbox belongs to test accounts, and this account is live. Use a key of a test account."));

    private sealed record FaultLine(string Fault, int Count);

    private sealed record DepositLine(string Txid, string Address, bool CaughtUp);

    private sealed record TipLine(long Height, string Hash, bool CaughtUp);
}
