using System.Text.Json;
using Npgsql;

namespace Coffer.Tests.Http;

/// <summary>A payment's address is its own, and payments are found by when they were made.</summary>
public sealed class PaymentAddressTests(TestCluster cluster) : IAsyncLifetime
{
    private readonly FakeTime _time = new(new DateTimeOffset(2025, 1, 15, 12, 0, 0, TimeSpan.Zero));
    private World _world = null!;
    private TestAccount _account = null!;
    private string _key = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster, time: _time);
        _account = await _world.Account();
        _key = await _account.ApiKey();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_deposit_that_names_no_address_pays_no_payment()
    {
        var payment = await Payment();
        for (var i = 0; i < 2; i++)
        {
            var deposit = await Post("/sandbox/deposits", new { wallet_id = _account.DefaultWallet.Value, currency = "BTC", amount = "1" });
            Assert.Equal(201, deposit.Status);
            Assert.NotEqual(Text(payment, "address"), Text(deposit, "address"));
        }

        await Post("/sandbox/blocks", new { count = 3 });
        Assert.Equal("waiting", Text(await Get($"/payments/{Text(payment, "id")}"), "status"));
        Assert.Equal(200_000_000m, await _world.Query<decimal>("SELECT available FROM balance"));
        // The wallet's own address is the same from deposit to deposit.
        Assert.Equal(2L, await _world.Query<long>("SELECT count(*) FROM chain_address"));
    }

    [Fact]
    public async Task Many_payments_at_once_have_an_address_each_and_the_database_refuses_to_share_one()
    {
        var many = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Payment()));
        Assert.Equal(50, many.Select(one => Text(one, "address")).Distinct().Count());
        var fault = await Assert.ThrowsAsync<PostgresException>(() =>
            _world.Execute("UPDATE payment SET address_id = (SELECT address_id FROM payment ORDER BY id LIMIT 1)"));
        Assert.Equal("payment_has_an_address_of_its_own", fault.ConstraintName);
    }

    [Fact]
    public async Task Payments_are_found_by_when_they_were_made_both_ends_included()
    {
        var ids = new List<string>();
        for (var day = 0; day < 4; day++)
        {
            ids.Add(Text(await Payment(), "id"));
            _time.Now += TimeSpan.FromDays(1);
        }

        Assert.Equal([ids[2], ids[1]], await Found("date_from=2025-01-16&date_to=2025-01-17"));
        Assert.Equal([ids[3], ids[2], ids[1]], await Found("date_from=2025-01-16T12:00:00Z"));
        Assert.Equal([ids[3], ids[2]], await Found("date_from=2025-01-16T12:00:01Z"));
        Assert.Equal([ids[1], ids[0]], await Found("date_to=2025-01-16T12:00:00Z"));
        Assert.Equal([ids[0]], await Found($"date_to=2025-01-17&starting_after={ids[1]}"));
        Assert.Empty(await Found("date_from=2025-02-01"));
        Assert.Equal(400, (await Get("/payments/?date_from=yesterday")).Status);
        Assert.Equal(400, (await Get("/payments/?date_to=2025-01-15T09:30:00")).Status);
    }

    private Task<Got> Payment() => Post("/payments/", new { amount = "1", currency = "BTC" });

    private async Task<string[]> Found(string query) =>
        [.. (await Get($"/payments/?{query}")).Json.GetProperty("payments").EnumerateArray().Select(one => one.GetProperty("id").GetString()!)];

    private Task<Got> Get(string path) => _world.Send(HttpMethod.Get, path, null, ("X-API-Key", _key));

    private Task<Got> Post(string path, object body) => _world.Send(HttpMethod.Post, path, JsonSerializer.Serialize(body), ("X-API-Key", _key));

    private static string Text(Got got, string name) => got.Json.GetProperty(name).GetString()!;
}
