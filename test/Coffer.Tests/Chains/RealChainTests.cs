using System.Text.Json;
using Coffer.Chains;
using Coffer.Chains.Simulated;
using Coffer.Server.Addresses;
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
        _world = await World.StartWith(cluster.NewDatabase(), [_entry], (_, _, _, _) => _node);
        _account = await _world.Account(Mode.Live);
        await _world.App.Db.Transaction((tx, ct) => tx.Watch(new IssuedAddress(_world.Ids.New(),
            _account.Account.Shard, _account.Id, _account.DefaultWallet, "evm", "ETH", "00000000", 0, Receiver, _world.Time.GetUtcNow()), ct), Ct);
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

    [Fact]
    public async Task A_payment_that_waits_for_a_block_is_written_down_and_gone_when_it_has_one_or_is_dropped()
    {
        var payment = new SimulatedOutput(TransferKind.Token, Receiver, _tether, 2_500_000);
        var stranger = new SimulatedOutput(TransferKind.Token, "0x" + new string('1', 40), _tether, 7);
        await _chain.Deposit("a", [payment, stranger], Ct);
        await Until(async () => await Waiting() == "USDTERC20 2500000");
        var since = await _world.Query<DateTime>("SELECT seen_at FROM chain_mempool");
        _node.Unconfirmed = _ => throw new ChainFault("no mempool here", retryable: true);
        await _chain.Deposit("b", [payment with { Amount = 1 }], Ct);
        await Task.Delay(200, Ct);
        Assert.Equal("USDTERC20 2500000", await Waiting());
        _node.Unconfirmed = found => found;
        await Until(async () => await Waiting() == "USDTERC20 1,USDTERC20 2500000");
        Assert.Equal(since, await _world.Query<DateTime>("SELECT min(seen_at) FROM chain_mempool"));
        Assert.Equal("", await Balance());
        await _chain.Mine(1, _world.Time.GetUtcNow(), 0, Ct);
        await Until(async () => await Waiting() == "");
        // A node that lags tells of them still.
        var late = await _chain.Blocks(1, 1, Ct);
        _node.Unconfirmed = _ => late[0].Transfers;
        await Until(async () => await Balance() == "2.50/2.50");
        await Task.Delay(200, Ct);
        Assert.Equal("", await Waiting());
    }

    private Task<string> Waiting() =>
        _world.Query<string>("SELECT coalesce(string_agg(currency || ' ' || amount, ',' ORDER BY amount), '') FROM chain_mempool");

    [Fact]
    public async Task Status_names_every_node_with_its_tip_and_is_ok_only_while_the_chain_is_followed_and_a_node_answers()
    {
        await _chain.Mine(5, _world.Time.GetUtcNow(), 0, Ct);
        await Until(async () => (await Ready()).GetProperty("height").ValueKind == JsonValueKind.Number
            && (await Ready()).GetProperty("height").GetInt32() == 5);
        var entry = _entry with { Nodes = [new Uri("http://me:secret@a:1/key"), new Uri("https://b:2"), new Uri("http://c:3")] };
        var fork = new SimulatedChain("fork", new MemoryLog());
        await fork.Mine(9, _world.Time.GetUtcNow(), 0, Ct);
        IChain Make(ChainEntry one, IReadOnlyList<string> tokens, Watch watch, TimeProvider time) => one.Nodes[0].Host switch
        {
            "a" => new Node(_chain),
            "b" => new Node(_chain) { Top = _ => throw new ChainFault("ethereum: b:2 does not answer.", retryable: true) },
            _ => new Node(fork),
        };
        var status = Assert.Single(await ReadChainStatus.Run(_world.App.Db, [entry], Make, TimeProvider.System, Ct));
        Assert.Equal((true, 5L, 4L), (status.Ok, status.Height, status.Behind));
        Assert.Equal([new NodeStatus("http://a:1", 5, null, true, null),
            new NodeStatus("https://b:2", null, null, null, "ethereum: b:2 does not answer."),
            new NodeStatus("http://c:3", 9, null, false, null)], status.Nodes);

        var forked = Assert.Single(await ReadChainStatus.Run(_world.App.Db, [entry with { Nodes = [entry.Nodes[2]] }], Make, TimeProvider.System, Ct));
        Assert.False(forked.Ok);
        var away = Assert.Single(await ReadChainStatus.Run(_world.App.Db, [entry with { Nodes = [entry.Nodes[1]] }], Make, TimeProvider.System, Ct));
        Assert.Equal((false, null), (away.Ok, away.Behind));
        await fork.Mine(100, _world.Time.GetUtcNow(), 0, Ct);
        Assert.False(Assert.Single(await ReadChainStatus.Run(_world.App.Db, [entry], Make, TimeProvider.System, Ct)).Ok);
        Assert.False(Assert.Single(await ReadChainStatus.Run(_world.App.Db, [entry with { Id = "never" }], Make, TimeProvider.System, Ct)).Ok);
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
