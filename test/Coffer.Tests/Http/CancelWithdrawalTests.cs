using System.Text.Json;
using Coffer.Chains.Simulated;
using Coffer.Ledger;
using Coffer.Server.Chain;
using Coffer.Server.Ledger;
using Coffer.Server.Withdrawals;

namespace Coffer.Tests.Http;

/// <summary>Taking a withdrawal back, against everything that may happen to it at the same time.</summary>
public sealed class CancelWithdrawalTests(TestCluster cluster) : IAsyncLifetime
{
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

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task What_nobody_has_begun_to_pay_is_given_back_whole_and_stays_cancelled()
    {
        var id = await Waiting(100);
        Assert.Equal("1000.00/104.50", await Balance());
        var got = await Cancel(id);
        Assert.Equal((200, "cancelled"), (got.Status, Text(got, "status")));
        Assert.Equal("1000.00/0.00", await Balance());
        // Again is no mistake: a caller who got no answer asks again.
        var again = await Cancel(id);
        Assert.Equal((200, got.Text), (again.Status, again.Text));
        await _world.Execute("UPDATE withdrawal SET needs_approval = false");
        await Post("/sandbox/blocks", """{"count":12}""");
        Assert.Equal("cancelled", Text(await Get($"/withdrawal/{id}/"), "status"));
        Assert.Equal("1000.00/0.00", await Balance());
        Assert.Equal([id], (await Get("/withdrawal/?status=cancelled")).Json.GetProperty("withdrawals").EnumerateArray().Select(w => w.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task What_was_sent_cannot_be_cancelled_nor_what_is_somebody_elses()
    {
        var id = await Waiting(100);
        var other = await (await _world.Account()).ApiKey();
        Assert.Equal(404, (await _world.Send(HttpMethod.Post, $"/withdrawal/{id}/cancel", null, ("X-API-Key", other))).Status);
        Assert.Equal(404, (await Cancel(_world.Ids.New().ToString())).Status);
        Assert.Equal(400, (await Post($"/withdrawal/{id}/cancel/", """{"why":"x"}""")).Status);
        await _world.Execute("UPDATE withdrawal SET needs_approval = false");
        await Post("/sandbox/blocks", """{"count":1}""");
        for (var i = 0; i < 2; i++)
        {
            var got = await Cancel(id);
            Assert.Equal((409, "conflict"), (got.Status, got.ErrorCode));
            await _world.FinishWithdrawals(_key);
        }

        Assert.Equal("895.50/0.00", await Balance());
    }

    [Fact]
    public async Task Cancelled_while_the_worker_takes_it_it_is_either_paid_or_given_back()
    {
        await using var second = await World.StartOn(_world.Database);
        var (cancelled, paid) = (0, 0);
        for (var round = 0; round < 40; round++)
        {
            var id = await Waiting(10);
            await _world.Execute("UPDATE withdrawal SET needs_approval = false");
            var cancels = Enumerable.Range(0, 4).Select(async i =>
            {
                await Task.Delay(round % 4 * 2, Ct);
                return await (i % 2 == 0 ? _world : second).Send(HttpMethod.Post, $"/withdrawal/{id}/cancel", null, ("X-API-Key", _key));
            }).ToList();
            await Post("/sandbox/blocks", """{"count":1}""");
            var answers = await Task.WhenAll(cancels);
            Assert.Single(answers.Select(got => got.Status).Distinct());
            Assert.Contains(answers[0].Status, new[] { 200, 409 });
            _ = answers[0].Status == 200 ? cancelled++ : paid++;
        }

        await _world.FinishWithdrawals(_key);
        using var chain = new SimulatedChain(SimulatedChain.IdOf(_account.Id), new SimulatedLog(_world.App.Db, _account.Id, TimeProvider.System));
        var sent = (await chain.Blocks(0, 10_000, Ct)).SelectMany(block => block.Transfers).Count(transfer => transfer.Address == Payee);
        Assert.Equal(paid, sent);
        Assert.Equal($"{1_000m - (14.5m * paid):0.00}/0.00", await Balance());
        Assert.Equal((long)cancelled, await _world.Query<long>("SELECT count(*) FROM withdrawal WHERE state = 9 AND tx_id IS NULL"));
        Assert.True((await Verify.Run(_world.App.Db, TimeProvider.System, Ct)).Clean);
        Assert.True(cancelled > 0 && paid > 0, $"{cancelled} cancelled, {paid} paid: that was no race");
    }

    [Theory]
    [InlineData("state = 9")]
    [InlineData("state = 6, completed_at = now(), needs_approval = false")]
    [InlineData("amount = amount + 1")]
    [InlineData("network_fee = 0")]
    [InlineData("address = 'sim1elsewhere'")]
    [InlineData("id = gen_random_uuid()")]
    public async Task A_row_that_was_changed_past_the_ledger_is_found(string change)
    {
        await Waiting(100);
        Assert.True((await Verify.Run(_world.App.Db, TimeProvider.System, Ct)).Clean);
        await _world.Execute($"UPDATE withdrawal SET {change}");
        var finding = Assert.Single((await Verify.Run(_world.App.Db, TimeProvider.System, Ct)).Findings);
        Assert.Equal("withdrawal", finding.Table);
    }

    private static string Payee { get; } =
        SimulatedAddress.Make(new AccountId(new Guid(1, 2, 3, new byte[8])), new WalletId(new Guid(3, 2, 1, new byte[8])), "ETH", 0);

    /// <summary>A withdrawal that waits for an approval, so that no worker takes it before it is let go; with the fees of the currency file.</summary>
    private async Task<string> Waiting(int amount)
    {
        const int unit = 1_000_000;
        var command = new RequestWithdrawal(_account.Id, _account.DefaultWallet, World.AllCurrencies.Find("USDTERC20") with { ApprovalAbove = 0 },
            Reference.Of($"withdrawal:{_world.Ids.New()}"), amount * unit, 4_500_000, Payee)
        {
            Companion = new WithdrawalOrder(SimulatedChain.IdOf(_account.Id), 3_500_000, FeesOnTop: true),
        };
        return (await _world.App.Ledger.Write(_account.Account.Shard, command)).Accepted().Id.ToString();
    }

    private Task<Got> Cancel(string id) => Post($"/withdrawal/{id}/cancel/", "");

    private Task<Got> Post(string path, string body) =>
        _world.Send(HttpMethod.Post, path, body.Length == 0 ? null : body, ("X-API-Key", _key));

    private Task<Got> Get(string path) => _world.Send(HttpMethod.Get, path, null, ("X-API-Key", _key));

    private async Task<string> Balance()
    {
        var got = await Get($"/wallets/balances?wallet_id={_account.DefaultWallet}");
        var line = got.Json.GetProperty("result").GetProperty("balances")[0];
        return $"{line.GetProperty("amount").GetString()}/{line.GetProperty("pendingAmount").GetString()}";
    }

    private static string Text(Got got, string name) => got.Json.GetProperty(name).GetString()!;
}
