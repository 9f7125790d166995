using System.Text.Json;
using Coffer.Chains.Simulated;

namespace Coffer.Tests.Ledger;

/// <summary>
/// What a customer wants done, under a key of its own. The same bytes are sent under the same key until there is an answer, and that
/// answer is what he believes.
/// </summary>
internal sealed record FireRequest(string Kind, string Path, string Body, string Key, int From, int To, long Amount, string? Address)
{
    public Got? Answer { get; set; }

    public int Tries { get; set; }

    public bool IsDone => Answer is { Status: 200 or 201 };

    /// <summary>What names the movement that came of it: a deposit's transaction, the id of the others.</summary>
    public string Movement => Kind switch
    {
        FireCustomer.Deposit => Answer!.Json.GetProperty("txid").GetString()!,
        FireCustomer.Transfer => Answer!.Json.GetProperty("transfer").GetProperty("id").GetString()!,
        _ => Answer!.Json.GetProperty("id").GetString()!,
    };

    public override string ToString() => $"{Kind} {Body} under {Key}: {Answer?.Status} {Answer?.Text} after {Tries} tries";
}

/// <summary>
/// A customer of the real server under fire: several requests at once, each with an Idempotency-Key, each sent again until it is answered.
/// He reads his balances all the while, and what he reads must add up at every instant.
/// </summary>
internal sealed class FireCustomer(FireHttp server, AccountId account, string apiKey, string token, string[] wallets, int seed)
{
    public const string Deposit = "deposit", Blocks = "blocks", Transfer = "transfer", Withdrawal = "withdrawal";

    /// <summary>Smallest units of BTC, as the currency file has them.</summary>
    public const long Fee = 5_000, WithdrawalMin = 10_000, DepositMin = 1_000, Funds = 150_000;

    private const int Lanes = 5;

    /// <summary>Longest that a request may stay without an answer, whatever is broken meanwhile.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<FireRequest> requests = [];
    private readonly Random random = new(seed);

    public AccountId Account => account;

    public IReadOnlyList<string> Wallets => wallets;

    /// <summary>Everything that he asked for.</summary>
    public IReadOnlyList<FireRequest> Requests => requests;

    public TimeSpan LongestWait { get; private set; }

    public int Reads { get; private set; }

    /// <summary>His first money, before the fire begins.</summary>
    public async Task Begin()
    {
        for (var wallet = 0; wallet < wallets.Length; wallet++) await Ask(NewDeposit(wallet, Funds));
        await Mine(3);
    }

    public Task Mine(int blocks) => Ask(New(Blocks, "/sandbox/blocks", new { count = blocks }));

    /// <summary>Goes on until told to stop, and then until everything that he asked for is answered.</summary>
    public Task Run(CancellationToken stop) => Task.WhenAll([Read(stop), .. Enumerable.Range(0, Lanes).Select(_ => Task.Run(async () =>
    {
        while (!stop.IsCancellationRequested) await Ask(Next());
    }, CancellationToken.None))]);

    /// <summary>Sends what was done again: the same answer, byte for byte, marked as a replay.</summary>
    public async Task AskAgain()
    {
        foreach (var request in requests.Where(request => request.IsDone).ToList())
        {
            var again = await Send(request);
            Assert.True(again is not null && (again.Status, again.Text) == (request.Answer!.Status, request.Answer.Text),
                $"{request}, then {again?.Status} {again?.Text}");
            Assert.Equal("true", again!.Header("Idempotent-Replayed"));
        }
    }

    /// <summary>Every movement that the server lists, all pages.</summary>
    public async Task<List<JsonElement>> Movements()
    {
        List<JsonElement> all = [];
        for (string? cursor = ""; cursor is not null;)
        {
            var page = (await Get($"/transactions/?limit=100{(cursor.Length > 0 ? $"&starting_after={cursor}" : "")}")).Json;
            all.AddRange(page.GetProperty("transactions").EnumerateArray());
            cursor = page.GetProperty("next_cursor").GetString();
        }

        return all;
    }

    /// <summary>Total and pending of a wallet, in smallest units.</summary>
    public async Task<(long Total, long Pending)> WalletBalance(int wallet) =>
        Balance(await Get($"/wallets/balances?wallet_id={wallets[wallet]}"));

    /// <summary>His only currency, as <c>/user/balances/</c> shows it.</summary>
    public async Task<JsonElement> Summary() => Proved(await Get("/user/balances/"));

    public static long Units(JsonElement line, string name)
    {
        var text = line.GetProperty(name).GetString()!;
        var point = text.IndexOf('.', StringComparison.Ordinal);
        return long.Parse(text[..point] + text[(point + 1)..].PadRight(8, '0'), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static string Whole(long units) => $"{units / 100_000_000}.{units % 100_000_000:D8}";

    private async Task Read(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            if (await Look("/user/balances/") is { Status: not 503 } summary) Proved(summary);
            if (await Look($"/wallets/balances?wallet_id={wallets[0]}") is { Status: not 503 } wallet) Balance(wallet);
            Reads++;
            await Task.Delay(20, CancellationToken.None);
        }
    }

    private static (long Total, long Pending) Balance(Got got)
    {
        Assert.True(got.Status == 200, got.Text);
        var line = Assert.Single(got.Json.GetProperty("result").GetProperty("balances").EnumerateArray());
        var (total, pending) = (Units(line, "amount"), Units(line, "pendingAmount"));
        Assert.True(0 <= pending && pending <= total, got.Text);
        return (total, pending);
    }

    private static JsonElement Proved(Got got)
    {
        Assert.True(got.Status == 200, got.Text);
        var line = Assert.Single(got.Json.GetProperty("balances").EnumerateArray());
        var (total, available, pending) = (Units(line, "total_balance"), Units(line, "available_balance"), Units(line, "pending_balance"));
        var lines = line.GetProperty("wallets").EnumerateArray().ToList();
        Assert.True(total == available + pending && available >= 0 && pending >= 0
            && total == Units(line, "total_deposited") - Units(line, "total_withdrawn")
            && available == lines.Sum(wallet => Units(wallet, "balance"))
            && pending == lines.Sum(wallet => Units(wallet, "pending")), got.Text);
        return line;
    }

    private FireRequest Next()
    {
        lock (requests)
        {
            var (kind, wallet) = (random.Next(8), random.Next(wallets.Length));
            switch (kind)
            {
                case 0 or 1:
                    return NewDeposit(wallet, random.NextInt64(DepositMin, 30_000));
                case 2:
                    return New(Blocks, "/sandbox/blocks", new { count = random.Next(1, 4) });
                case 3 or 4:
                    var amount = random.NextInt64(WithdrawalMin, 30_000);
                    var address = SimulatedAddress.Make(new AccountId(Guid.Empty), new WalletId(account.Value), "BTC", requests.Count);
                    // Half of them are found by the key, half by the customer's own name for it.
                    var customId = random.Next(2) == 0 ? $"invoice {requests.Count}" : null;
                    return New(Withdrawal, "/withdrawal/",
                        new { amount = Whole(amount), currency = "BTC", address, account_id = wallets[wallet], custom_id = customId },
                        wallet, 0, amount, address);
                default:
                    var moved = random.NextInt64(1, 80_000);
                    var (from, to) = (wallets[wallet], wallets[1 - wallet]);
                    return New(Transfer, "/wallets/transfer",
                        new { from_wallet_id = from, to_wallet_id = to, currency = "BTC", amount = Whole(moved) },
                        wallet, 1 - wallet, moved);
            }
        }
    }

    private FireRequest NewDeposit(int wallet, long amount) => New(Deposit, "/sandbox/deposits",
        new { wallet_id = wallets[wallet], currency = "BTC", amount = Whole(amount) }, 0, wallet, amount);

    private FireRequest New(string kind, string path, object body, int from = 0, int to = 0, long amount = 0, string? address = null)
    {
        lock (requests)
        {
            var key = $"{kind}-{requests.Count}";
            var request = new FireRequest(kind, path, JsonSerializer.Serialize(body), key, from, to, amount, address);
            requests.Add(request);
            return request;
        }
    }

    private async Task Ask(FireRequest request)
    {
        var start = TimeProvider.System.GetTimestamp();
        Got? got;
        while (true)
        {
            request.Tries++;
            got = await Send(request);
            var waited = TimeProvider.System.GetElapsedTime(start);
            LongestWait = waited > LongestWait ? waited : LongestWait;
            if (got is not null && got.Status != 503 && !(got.Status == 409 && got.ErrorCode == "idempotency_in_flight")) break;
            Assert.True(waited < Patience, $"no answer for {waited}: {request}; last {got?.Text ?? "nothing"}");
            await Task.Delay(20);
        }

        request.Answer = got;
        Assert.True(request.IsDone || (got.Status == 422 && got.ErrorCode == "insufficient_balance"), $"{request}");
    }

    private Task<Got?> Send(FireRequest request) => server.Try(HttpMethod.Post, request.Path, request.Body,
        ("X-API-Key", apiKey), ("Idempotency-Key", request.Key));

    private Task<Got?> Look(string path) => server.Try(HttpMethod.Get, path, null,
        path.StartsWith("/user", StringComparison.Ordinal) ? ("Authorization", $"Bearer {token}") : ("X-API-Key", apiKey));

    private async Task<Got> Get(string path)
    {
        var got = await Look(path);
        Assert.True(got?.Status == 200, $"{path}: {got?.Text}");
        return got!;
    }
}
