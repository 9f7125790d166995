using Coffer.Tests.Http;
using Npgsql;

namespace Coffer.Tests.OpenApi;

/// <summary>The codes of errors are a closed list, and none of them is only written down: each is what somebody gets.</summary>
public sealed class ErrorCodeTests(TestCluster cluster) : IAsyncLifetime
{
    private const string Payment = """{"amount":"1","currency":"BTC","order_id":"1"}""";
    private const int StreamsMax = 20;
    private World _world = null!;
    private Withdrawer _payer = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster);
        _payer = await Withdrawer.Of(_world, Mode.Test, ("USDTERC20", "1000"));
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Every_code_of_the_description_is_answered()
    {
        var (shard, id, allow) = (_payer.Account.Account.Shard, _payer.Account.Id, _payer.Allow);
        var (live, reader) = (await (await _world.Account(Mode.Live)).ApiKey(), await _payer.Account.ApiKey(Scopes.Read));
        (string Code, Func<Task<Got>> Ask)[] provoked =
        [
            ("invalid_request", () => _payer.Get("/wallets?color=1")),
            ("invalid_currency", () => _payer.Get("/transactions?currency=NOPE")),
            ("invalid_amount", () => _payer.Withdraw("1.0000001")),
            ("invalid_address", () => _payer.Withdraw("10", address: "nowhere")),
            ("unauthorized", () => _world.Send(HttpMethod.Get, "/wallets")),
            ("forbidden", () => _payer.Post("/wallets", """{"name":"x"}""", reader)),
            ("not_found", () => _payer.Get($"/wallets/{Guid.Empty}")),
            ("conflict", async () => (await _payer.Post("/payments/", Payment), await _payer.Post("/payments/", Payment)).Item2),
            ("idempotency_in_flight", WhileTheFirstRuns),
            ("idempotency_key_reused", () => Address("ETH", "first")),
            ("insufficient_balance", () => _payer.Withdraw("5000")),
            ("service_unavailable", () => _payer.Post("/payments/", Payment, live)),
            ("limit_exceeded", async () =>
            {
                await allow.Limit(shard, id, "USDTERC20", new WithdrawalLimits(20_000_000, null, null), "test", Ct);
                return await _payer.Withdraw("20.000001");
            }),
            ("address_not_allowed", async () =>
            {
                await allow.PayListOnly(shard, id, true, 0, Ct);
                return await _payer.Withdraw("10");
            }),
            ("account_frozen", async () =>
            {
                await allow.Freeze(shard, id, true, "test", "test", Ct);
                return await _payer.Withdraw("10");
            }),
            ("rate_limit_exceeded", WithTooManyStreams),
            ("internal_error", async () =>
            {
                await _world.Execute("ALTER TABLE wallet RENAME TO wallet_away");
                return await _payer.Get("/wallets");
            }),
        ];
        Assert.Equal(
            Description.Document.GetProperty("components").GetProperty("schemas").GetProperty("ErrorCode").GetProperty("enum").EnumerateArray()
                .Select(word => word.GetString()!).Order(),
            provoked.Select(one => one.Code).Order());
        foreach (var (code, ask) in provoked)
        {
            var got = await ask();
            Assert.True(got.Status >= 400 && got.ErrorCode == code, $"{code}: {got.Status} {got.Text}");
        }
    }

    private Task<Got> Address(string currency, string key) => _world.Send(HttpMethod.Post, "/wallets/payment",
        $$"""{"wallet_id":"{{_payer.Account.DefaultWallet}}","currency":"{{currency}}"}""", ("X-API-Key", _payer.Key), ("Idempotency-Key", key));

    private async Task<Got> WhileTheFirstRuns()
    {
        await using var other = new NpgsqlConnection(_world.Database);
        await other.OpenAsync(Ct);
        await using var transaction = await other.BeginTransactionAsync(Ct);
        await using var hold = new NpgsqlCommand("LOCK TABLE chain_address", other, transaction);
        await hold.ExecuteNonQueryAsync(Ct);
        var first = Address("BTC", "first");
        while (await _world.Query<long>("SELECT count(*) FROM idempotency_key") == 0)
            await Task.Delay(10, Ct);
        var second = await Address("BTC", "first");
        await transaction.RollbackAsync(Ct);
        Assert.Equal(200, (await first).Status / 100 * 100);
        return second;
    }

    private async Task<Got> WithTooManyStreams()
    {
        var open = new List<HttpResponseMessage>();
        try
        {
            for (var i = 0; i < StreamsMax; i++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/events/stream");
                request.Headers.Add("X-API-Key", _payer.Key);
                open.Add(await _world.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct));
            }

            return await _payer.Get("/events/stream");
        }
        finally
        {
            open.ForEach(one => one.Dispose());
        }
    }
}
