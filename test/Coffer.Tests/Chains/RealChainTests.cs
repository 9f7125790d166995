using System.Text.Json;
using Coffer.Chains;
using Coffer.Chains.Simulated;
using Coffer.Server.Chain;

namespace Coffer.Tests.Chains;

/// <summary>A chain of the chains file in a running server; a simulated chain behind a node that may fail stands for the real one.</summary>
public sealed class RealChainTests(TestCluster cluster) : IAsyncLifetime
{
    private const string Receiver = "0x52908400098527886E0F7030069857D2E4169EE7";

    private static readonly ChainEntry _entry = new()
    {
        Id = "ethereum",
        Kind = ChainKind.Evm,
        Network = "ETH",
        Nodes = [new Uri("http://me:secret@127.0.0.1:1")],
        ChainId = 1,
        Start = 0,
        Poll = TimeSpan.FromMilliseconds(50),
    };

    private static readonly string _tether = World.AllCurrencies.Find("USDTERC20").Contract!;

    private readonly SimulatedChain _chain = new("ethereum", new MemoryLog());
    private World _world = null!;
    private TestAccount _account = null!;
    private Node _node = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _node = new Node(_chain);
        _world = await World.StartWith(cluster.NewDatabase(), [_entry], (_, _) => _node);
        _account = await _world.Account(Mode.Live);
        await _world.App.Db.Transaction((tx, ct) => tx.Watch("evm", new WatchedAddress(Receiver, _account.Account.Shard, _account.Id,
            _account.DefaultWallet, "ETH", 0), _world.Time.GetUtcNow(), ct), Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        _chain.Dispose();
    }

    [Fact]
    public async Task A_payment_on_a_chain_of_the_file_reaches_the_balance_by_its_contract_in_any_case()
    {
        await _chain.Deposit("a", [new SimulatedOutput(TransferKind.Token, Receiver, _tether.ToLowerInvariant(), 2_500_000)], Ct);
        await _chain.Deposit("b", [new SimulatedOutput(TransferKind.Token, Receiver, "0x" + new string('1', 40), 9_000_000)], Ct);
        await _chain.Mine(1, _world.Time.GetUtcNow(), 0, Ct);
        await Until(async () => await Balance() == "2.50/2.50");
        await _chain.Mine(11, _world.Time.GetUtcNow(), 0, Ct);
        await Until(async () => await Balance() == "2.50/0.00");
    }

    [Fact]
    public async Task Readiness_says_how_far_each_chain_is_and_what_it_waits_for_while_balances_are_served()
    {
        await _chain.Mine(5, _world.Time.GetUtcNow(), 0, Ct);
        await Until(async () => (await Ready()).GetRawText()
            == """{"chain":"ethereum","height":5,"tip":5,"behind":0,"state":"following","message":null}""");

        _node.Top = _ => throw new ChainFault("ethereum: no node answers.", retryable: true);
        await Until(async () => (await Ready()).GetProperty("state").GetString() == "waiting");
        Assert.Equal("ethereum: no node answers.", (await Ready()).GetProperty("message").GetString());
        Assert.Equal("", await Balance());

        _node.Top = tip => tip;
        _node.Answer = _ => [];
        await _chain.Mine(60, _world.Time.GetUtcNow(), 0, Ct);
        await Until(async () => (await Ready()).GetProperty("state").GetString() == "catching_up");
        Assert.Equal((5, 65, 60), ((await Ready()).GetProperty("height").GetInt32(), (await Ready()).GetProperty("tip").GetInt32(),
            (await Ready()).GetProperty("behind").GetInt32()));
        _node.Answer = blocks => blocks;
        await Until(async () => (await Ready()).GetProperty("state").GetString() == "following");
    }

    private async Task<JsonElement> Ready()
    {
        var got = await _world.Send(HttpMethod.Get, "/health/ready");
        Assert.Equal(200, got.Status);
        return got.Json.GetProperty("chains")[0];
    }

    private async Task<string> Balance()
    {
        var got = await _world.Send(HttpMethod.Get, $"/wallets/balances?wallet_id={_account.DefaultWallet}", null,
            ("X-API-Key", await _account.ApiKey()));
        var lines = got.Json.GetProperty("result").GetProperty("balances").EnumerateArray()
            .Select(line => $"{line.GetProperty("amount").GetString()}/{line.GetProperty("pendingAmount").GetString()}");
        return string.Join(' ', lines);
    }

    private static async Task Until(Func<Task<bool>> isSo)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        while (!await isSo())
            await Task.Delay(20, limit.Token);
    }
}
