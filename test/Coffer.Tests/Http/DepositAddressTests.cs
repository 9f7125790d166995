using System.Text.Json;
using Coffer.Chains;
using Coffer.Chains.Simulated;
using Coffer.Server.Host;
using Npgsql;

namespace Coffer.Tests.Http;

/// <summary>Where deposits may be sent: never the same place twice, never a place that the key does not give.</summary>
public sealed class DepositAddressTests(TestCluster cluster)
{
    // The accounts m/44'/60'/0' and m/44'/60'/1' of the test phrase "test test ... junk" and their first addresses, as ethers prints them.
    private const string Xpub =
        "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtrg9sD7V2FNFLPnf8heNP3FGkeV9qwfzvZNSd54JoNXVsXFYSYwHsnJxqP";

    private const string OtherXpub =
        "xpub6Ce9NcJvTk372KjsGfWqbcex5DumjpNquQLApoeQUavSCjEc823BV1tb4rXUuPuht8h2hSxkg2EXUaKUJmniJvRZAELxypsCzBFdtosmV76";

    private const string First = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    private const string Second = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    private const string OtherFirst = "0x8C8d35429F74ec245F8Ef2f4Fd1e551cFF97d650";
    private const int Many = 200;

    [Fact]
    public async Task Two_hundred_who_ask_at_once_get_two_hundred_addresses()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var key = await account.ApiKey();
        var addresses = await Task.WhenAll(Enumerable.Range(0, Many).Select(async _ => Address(await Ask(world, account, key, "usdterc20"))));
        Assert.Equal(Many, addresses.Distinct().Count());
    }

    [Fact]
    public async Task An_address_is_answered_in_the_shape_of_the_contract_and_can_be_paid()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var key = await account.ApiKey();
        var got = await Ask(world, account, key, "usdterc20");
        Assert.Equal(201, got.Status);
        var address = got.Json.GetProperty("address");
        Assert.Equal(["id", "wallet_id", "wallet_name", "currency", "address", "created_at"], address.EnumerateObject().Select(m => m.Name));
        Assert.Equal("USDTERC20", address.GetProperty("currency").GetString());
        var paid = await Post(world, key, "/sandbox/deposits", new
        {
            wallet_id = account.DefaultWallet.Value,
            currency = "USDTERC20",
            amount = "5",
            address = Address(got),
        });
        Assert.Equal(Address(got), paid.Json.GetProperty("address").GetString());
        await Post(world, key, "/sandbox/blocks", new { count = 12 });
        Assert.Equal(5_000_000L, await world.Query<decimal>("SELECT available FROM balance"));
    }

    [Fact]
    public async Task The_sandbox_pays_only_addresses_of_the_wallet_that_is_named()
    {
        await using var world = await World.Start(cluster);
        var (account, stranger) = (await world.Account(), await world.Account());
        var key = await account.ApiKey();
        var theirs = Address(await Ask(world, stranger, await stranger.ApiKey(), "BTC"));
        foreach (var (address, status) in new[] { (theirs, 404), ("sim1nonsense", 400), (SimulatedAddress.Make(account.Id, account.DefaultWallet, "BTC", 77), 404) })
        {
            var body = new { wallet_id = account.DefaultWallet.Value, currency = "BTC", amount = "1", address };
            Assert.Equal(status, (await Post(world, key, "/sandbox/deposits", body)).Status);
        }
    }

    [Fact]
    public async Task A_live_account_gets_the_addresses_of_the_operators_key_in_order_over_restarts()
    {
        var database = cluster.NewDatabase();
        await using (var world = await World.StartWith(database, [Chain(Xpub)], (_, _, _, _) => Silent()))
        {
            var account = await world.Account(Mode.Live);
            Assert.Equal(First, Address(await Ask(world, account, await account.ApiKey(), "ETH")));
            var without = await Ask(world, account, await account.ApiKey(), "BTC");
            Assert.Equal((503, "service_unavailable"), (without.Status, without.Json.GetProperty("error").GetProperty("code").GetString()));
        }

        await using (var world = await World.StartWith(database, [Chain(OtherXpub)], (_, _, _, _) => Silent()))
        {
            var account = await world.Account(Mode.Live);
            Assert.Equal(OtherFirst, Address(await Ask(world, account, await account.ApiKey(), "ETH")));
        }

        await using (var world = await World.StartWith(database, [Chain(Xpub)], (_, _, _, _) => Silent()))
        {
            var account = await world.Account(Mode.Live);
            Assert.Equal(Second, Address(await Ask(world, account, await account.ApiKey(), "USDTERC20")));
            Assert.Equal(3, await world.Query<long>("SELECT count(*) FROM chain_address"));
        }
    }

    [Fact]
    public async Task A_row_that_somebody_changed_is_not_shown()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var key = await account.ApiKey();
        var thief = SimulatedAddress.Make(account.Id, account.DefaultWallet, "BTC", 1_000);
        await world.Execute($"""
            CREATE FUNCTION steal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.address := '{thief}'; RETURN NEW; END $$;
            CREATE TRIGGER steal BEFORE INSERT ON chain_address FOR EACH ROW EXECUTE FUNCTION steal()
            """);
        var got = await Ask(world, account, key, "BTC");
        Assert.Equal(500, got.Status);
        Assert.DoesNotContain("sim1", got.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_gave_other_addresses_before_is_refused_at_start()
    {
        var database = cluster.NewDatabase();
        await using (var world = await World.StartWith(database, [Chain(Xpub)], (_, _, _, _) => Silent()))
        {
            var account = await world.Account(Mode.Live);
            await Ask(world, account, await account.ApiKey(), "ETH");
            await world.Execute($"UPDATE address_source SET first_address = '{OtherFirst}'");
        }

        var fault = await Assert.ThrowsAsync<SetupFailure>(() => World.StartWith(database, [Chain(Xpub)], (_, _, _, _) => Silent()));
        Assert.Contains("check the chains file", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_index_cannot_be_used_twice_past_the_application()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        await Ask(world, account, await account.ApiKey(), "BTC");
        var fault = await Assert.ThrowsAsync<PostgresException>(() => world.Execute("""
            INSERT INTO chain_address (id, family, address, shard, account_id, wallet_id, network, source, index, created_at)
            SELECT gen_random_uuid(), family, 'another', shard, account_id, wallet_id, network, source, index, created_at FROM chain_address
            """));
        Assert.Equal("one_address_per_index", fault.ConstraintName);
    }

    private static ChainEntry Chain(string xpub) => new()
    {
        Id = "ethereum",
        Kind = ChainKind.Evm,
        Network = "ETH",
        Nodes = [new Uri("http://127.0.0.1:1")],
        Xpub = xpub,
        ChainId = 1,
        Poll = TimeSpan.FromMinutes(1),
    };

    private static SimulatedChain Silent() => new("ethereum", new Chains.MemoryLog());

    private static Task<Got> Ask(World world, TestAccount account, string key, string currency) =>
        Post(world, key, "/wallets/payment", new { wallet_id = account.DefaultWallet.Value, currency });

    private static Task<Got> Post(World world, string key, string path, object body) =>
        world.Send(HttpMethod.Post, path, JsonSerializer.Serialize(body), ("X-API-Key", key));

    private static string Address(Got got) => got.Json.GetProperty("address").GetProperty("address").GetString()!;
}
