using System.Text.Json;
using Coffer.Chains.Simulated;
using Coffer.Server.Ledger;

namespace Coffer.Tests.Http;

/// <summary>Withdrawals of a test account that go wrong on their way, as its sandbox was told.</summary>
public sealed class BroadcastFaultTests(TestCluster cluster) : IAsyncLifetime
{
    private static readonly string Payee =
        SimulatedAddress.Make(new AccountId(new Guid(1, 2, 3, new byte[8])), new WalletId(new Guid(3, 2, 1, new byte[8])), "ETH", 0);

    private World _world = null!;
    private TestAccount _account = null!;
    private string _key = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster);
        _account = await _world.Account();
        _key = await _account.ApiKey();
        await Post("/sandbox/deposits", JsonSerializer.Serialize(
            new { wallet_id = _account.DefaultWallet.ToString(), currency = "USDTERC20", amount = "1000" }));
        await Post("/sandbox/blocks", """{"count":12}""");
    }

    public async ValueTask DisposeAsync()
    {
        Assert.True((await Verify.Run(_world.App.Db, TimeProvider.System, Ct)).Clean);
        await _world.DisposeAsync();
    }

    [Fact]
    public async Task What_the_chain_refuses_for_ever_fails_and_everything_is_given_back()
    {
        await Break("fail");
        var id = await Withdraw();
        await Mine(1);
        var json = await Show(id);
        Assert.Equal("failed", Text(json, "status"));
        Assert.Contains("refuse", Text(json, "reason"), StringComparison.Ordinal);
        Assert.Equal("1000.00/0.00", await Balance());
        await Mine(12);
        Assert.Equal(0, await Paid());
    }

    [Fact]
    public async Task What_was_taken_without_an_answer_is_not_known_and_paid_once()
    {
        await Break("hang", 2);
        var (first, second) = (await Withdraw(), await Withdraw());
        await Mine(12);
        Assert.Equal(("completed", "completed"), (await Status(first), await Status(second)));
        Assert.Equal(2, await Paid());
        Assert.Equal("791.00/0.00", await Balance());
    }

    [Fact]
    public async Task What_was_lost_is_sent_again_as_the_same_bytes()
    {
        await Break("lose");
        var id = await Withdraw();
        await Mine(1);
        var hash = Text(await Show(id), "transaction_hash");
        Assert.Equal("submitted", await Status(id));
        Assert.Equal("1000.00/104.50", await Balance());
        Assert.Equal(0, await Paid());
        await Mine(12);
        Assert.Equal(("completed", hash), (await Status(id), Text(await Show(id), "transaction_hash")));
        Assert.Equal(1, await Paid());
    }

    [Fact]
    public async Task What_was_mined_and_forgotten_is_sent_again_as_the_same_bytes()
    {
        await Break("forget");
        var id = await Withdraw();
        await Mine(1);
        Assert.Equal("confirmed", await Status(id));
        var hash = Text(await Show(id), "transaction_hash");
        await Post("/sandbox/reorg", """{"depth":1}""");
        Assert.Equal("submitted", await Status(id));
        await Mine(12);
        Assert.Equal(("completed", hash), (await Status(id), Text(await Show(id), "transaction_hash")));
        Assert.Equal(1, await Paid());
        Assert.Equal("895.50/0.00", await Balance());
    }

    [Theory]
    [InlineData("")]
    [InlineData("forget")]
    public async Task A_reorg_after_completion_takes_the_settlement_back_until_it_is_mined_again(string fault)
    {
        if (fault.Length > 0)
            await Break(fault);
        var id = await Withdraw();
        await Mine(12);
        Assert.Equal(("completed", "895.50/0.00"), (await Status(id), await Balance()));
        await Post("/sandbox/reorg", """{"depth":12}""");
        Assert.Equal("submitted", await Status(id));
        Assert.Equal(JsonValueKind.Null, (await Show(id)).GetProperty("completed_at").ValueKind);
        Assert.Equal("1000.00/104.50", await Balance());
        Assert.Equal("0.00", await Withdrawn());
        await Mine(1);
        Assert.Equal("confirmed", await Status(id));
        await Mine(11);
        Assert.Equal(("completed", "895.50/0.00", "104.50"), (await Status(id), await Balance(), await Withdrawn()));
        Assert.Equal(1, await Paid());
    }

    [Theory]
    [InlineData("""{"fault":"explode"}""", "fault")]
    [InlineData("""{}""", "fault")]
    [InlineData("""{"fault":"fail","count":0}""", "count")]
    [InlineData("""{"fault":"fail","count":101}""", "count")]
    [InlineData("""{"fault":"fail","more":1}""", "more")]
    public async Task A_fault_that_there_is_not_is_refused(string body, string member)
    {
        var got = await Post("/sandbox/broadcasts", body);
        Assert.Equal(400, got.Status);
        Assert.True(got.Json.GetProperty("error").GetProperty("details").TryGetProperty(member, out _), got.Text);
        var id = await Withdraw();
        await Mine(12);
        Assert.Equal("completed", await Status(id));
    }

    private async Task Break(string fault, int count = 1) =>
        Assert.Equal(201, (await Post("/sandbox/broadcasts", JsonSerializer.Serialize(new { fault, count }))).Status);

    private async Task<string> Withdraw() => Text((await Post("/withdrawal/", JsonSerializer.Serialize(
        new { amount = "100", currency = "USDTERC20", address = Payee }))).Json, "id");

    private Task Mine(int count) => Post("/sandbox/blocks", $$"""{"count":{{count}}}""");

    private async Task<JsonElement> Show(string id) => (await Get($"/withdrawal/{id}/")).Json;

    private async Task<string> Status(string id) => Text(await Show(id), "status");

    /// <summary>How often the canonical chain has paid.</summary>
    private async Task<int> Paid()
    {
        using var chain = new SimulatedChain(SimulatedChain.IdOf(_account.Id), new Coffer.Server.Chain.SimulatedLog(
            _world.App.Db, _account.Id, TimeProvider.System));
        return (await chain.Blocks(0, 10_000, Ct)).SelectMany(block => block.Transfers).Count(transfer => transfer.Address == Payee);
    }

    private async Task<string> Withdrawn()
    {
        await using var command = _world.App.Db.Reads.CreateCommand("SELECT withdrawn FROM balance");
        return Amount.Short((Int128)(decimal)(await command.ExecuteScalarAsync(Ct))!, 6);
    }

    private async Task<string> Balance()
    {
        var got = await Get($"/wallets/balances?wallet_id={_account.DefaultWallet}");
        var line = got.Json.GetProperty("result").GetProperty("balances")[0];
        return $"{Text(line, "amount")}/{Text(line, "pendingAmount")}";
    }

    private Task<Got> Post(string path, string body) => _world.Send(HttpMethod.Post, path, body, ("X-API-Key", _key));

    private Task<Got> Get(string path) => _world.Send(HttpMethod.Get, path, null, ("X-API-Key", _key));

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
