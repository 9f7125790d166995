using Npgsql;
using static Coffer.Tests.Http.Withdrawer;

namespace Coffer.Tests.Http;

/// <summary>Four eyes: more than 50 USDTERC20 waits for somebody else than who asked.</summary>
public sealed class ApprovalTests(TestCluster cluster) : IAsyncLifetime
{
    private World _world = null!;
    private Withdrawer _payer = null!;
    private string _approver = "";

    private static Currencies Guarded { get; } = new(World.AllCurrencies.All.Select(c => c.Code == "USDTERC20"
        ? c with { ApprovalAbove = 50_000_000 } : c));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster, currencies: Guarded);
        _payer = await Withdrawer.Of(_world, Mode.Test, ("USDTERC20", "1000"));
        _approver = await _payer.Account.ApiKey(Scopes.Read | Scopes.Approve);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Above_the_threshold_a_withdrawal_waits_until_somebody_else_approves_it()
    {
        var small = await _payer.Withdraw("50");
        Assert.Equal(("pending", null), (Text(small.Json, "status"), small.Json.GetProperty("waits_for").GetString()));
        var id = await Ask();
        await _payer.Post("/sandbox/blocks", """{"count":12}""");
        Assert.Equal(("pending", "approval"), await Status(id));
        Assert.Equal("completed", Text((await _payer.Get($"/withdrawal/{Text(small.Json, "id")}")).Json, "status"));

        var got = await _payer.Post($"/withdrawal/{id}/approve/", "{}", _approver);
        Assert.Equal((200, "approved"), (got.Status, Text(got.Json, "status")));
        Assert.Equal(200, (await _payer.Post($"/withdrawal/{id}/approve/", "{}", _approver)).Status);
        Assert.StartsWith("key:", await _world.Query<string>("SELECT decided_by FROM withdrawal WHERE id = $1", Guid.Parse(id)), StringComparison.Ordinal);
        await _payer.Post("/sandbox/blocks", """{"count":12}""");
        Assert.Equal(("completed", null), await Status(id));
    }

    [Fact]
    public async Task A_rejected_withdrawal_gives_everything_back_and_says_why()
    {
        var id = await Ask();
        Assert.Equal("1000.00/64.50", await _payer.Balance());
        Assert.Equal(400, (await _payer.Post($"/withdrawal/{id}/reject/", "{}", _approver)).Status);
        var got = await _payer.Post($"/withdrawal/{id}/reject/", """{"reason":"unknown receiver"}""", _approver);
        Assert.Equal((200, "rejected", "unknown receiver"), (got.Status, Text(got.Json, "status"), Text(got.Json, "reason")));
        Assert.Equal("1000.00/0.00", await _payer.Balance());
        var late = await _payer.Post($"/withdrawal/{id}/approve/", "{}", _approver);
        Assert.Equal((409, "conflict"), (late.Status, late.ErrorCode));
        Assert.Equal(0m, await _world.Query<decimal>("SELECT amount FROM withdrawal_day"));
    }

    [Fact]
    public async Task Who_asked_never_decides_whatever_scopes_he_has()
    {
        var both = await _payer.Account.ApiKey(Scopes.Read | Scopes.Write | Scopes.Approve);
        var id = Text((await _payer.Withdraw("60", key: both)).Json, "id");
        foreach (var (path, body) in new[] { ("approve", "{}"), ("reject", """{"reason":"r"}""") })
        {
            var got = await _payer.Post($"/withdrawal/{id}/{path}/", body, both);
            Assert.Equal((403, "forbidden"), (got.Status, got.ErrorCode));
        }

        Assert.Equal(("pending", "approval"), await Status(id));
        Assert.Equal(200, (await _payer.Post($"/withdrawal/{id}/approve/", "{}", _approver)).Status);
    }

    [Fact]
    public async Task The_database_refuses_a_decision_by_who_asked_and_a_payment_without_one()
    {
        var id = Guid.Parse(await Ask());
        var same = await Assert.ThrowsAsync<PostgresException>(() => _world.Execute(
            "UPDATE withdrawal SET state = 2, decided_by = requested_by, decided_at = now() WHERE id = $1", id));
        Assert.Equal("nobody_decides_what_he_asked_for", same.ConstraintName);
        var none = await Assert.ThrowsAsync<PostgresException>(() => _world.Execute("UPDATE withdrawal SET state = 3 WHERE id = $1", id));
        Assert.Equal("what_needs_approval_is_paid_with_it", none.ConstraintName);
    }

    [Fact]
    public async Task Without_the_scope_nobody_decides_and_no_account_can_give_it()
    {
        var id = await Ask();
        var got = await _payer.Post($"/withdrawal/{id}/approve/", "{}");
        Assert.Equal((403, "approve"), (got.Status, Text(Details(got), "required_scope")));
        Assert.Equal(401, (await _world.Send(HttpMethod.Post, $"/withdrawal/{id}/approve/", "{}")).Status);
        var token = await _payer.Account.Token();
        var made = await _world.Send(HttpMethod.Post, "/api-keys", """{"name":"x","scopes":["approve"]}""", ("Authorization", $"Bearer {token}"));
        Assert.Equal(400, made.Status);
        var client = await _payer.Account.Client();
        var grant = await _world.Form("/o/token/", client, ("grant_type", "client_credentials"), ("scope", "approve"));
        Assert.Equal((400, "invalid_scope"), (grant.Status, Text(grant.Json, "error")));
        Assert.Equal(403, (await _payer.Withdraw("10", key: _approver)).Status);
        Assert.Contains("\"approve\"", (await _world.Send(HttpMethod.Get, "/user/me/", null,
            ("Authorization", $"Bearer {await _payer.Account.Token(Scopes.Read | Scopes.Approve)}"))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_what_waits_is_approved_and_only_in_ones_own_account_and_wallets()
    {
        var small = Text((await _payer.Withdraw("50")).Json, "id");
        var got = await _payer.Post($"/withdrawal/{small}/approve/", "{}", _approver);
        Assert.Equal((409, "conflict"), (got.Status, got.ErrorCode));
        var id = await Ask();
        var stranger = await (await _world.Account()).ApiKey(Scopes.Approve);
        Assert.Equal(404, (await _payer.Post($"/withdrawal/{id}/approve/", "{}", stranger)).Status);
        var wallet = await _payer.Account.Wallet("other");
        var limited = await _payer.Account.ApiKey(Scopes.Approve, [wallet.Value]);
        Assert.Equal(404, (await _payer.Post($"/withdrawal/{id}/approve/", "{}", limited)).Status);
        Assert.Equal(404, (await _payer.Post("/withdrawal/nonsense/approve/", "{}", _approver)).Status);
        Assert.Equal(400, (await _payer.Post($"/withdrawal/{id}/approve/", """{"surprise":1}""", _approver)).Status);
        Assert.Equal(400, (await _payer.Post($"/withdrawal/{id}/reject/", $$"""{"reason":"{{new string('x', 501)}}"}""", _approver)).Status);
        await _payer.Post($"/withdrawal/{id}/cancel/", "{}");
        Assert.Equal(409, (await _payer.Post($"/withdrawal/{id}/approve/", "{}", _approver)).Status);
        Assert.Equal(("cancelled", null), await Status(id));
    }

    [Fact]
    public async Task Of_cancel_approve_and_reject_at_once_exactly_one_decides()
    {
        for (var round = 0; round < 10; round++)
        {
            var id = await Ask();
            var answers = await Task.WhenAll(
                _payer.Post($"/withdrawal/{id}/approve/", "{}", _approver),
                _payer.Post($"/withdrawal/{id}/reject/", """{"reason":"r"}""", await _payer.Account.ApiKey(Scopes.Approve)),
                _payer.Post($"/withdrawal/{id}/cancel/", "{}"));
            var (status, _) = await Status(id);
            Assert.Contains(status, (string[])["approved", "processing", "submitted", "rejected", "cancelled"]);
            Assert.Contains(answers, got => got.Status == 200);
            Assert.All(answers, got => Assert.Contains(got.Status, (int[])[200, 409]));
            // What was approved may still be cancelled or rejected; what has ended stays as it is.
            if (status is "rejected" or "cancelled")
                Assert.NotEqual(200, (await _payer.Post($"/withdrawal/{id}/approve/", "{}", await _payer.Account.ApiKey(Scopes.Approve))).Status);
        }
    }

    [Fact]
    public async Task An_account_may_have_a_threshold_of_its_own()
    {
        var account = _payer.Account.Account;
        await _payer.Allow.Limit(account.Shard, account.Id, "USDTERC20", new WithdrawalLimits(null, null, 10_000_000), "operator:test", Ct);
        Assert.Equal("approval", Text((await _payer.Withdraw("10.01")).Json, "waits_for"));
        await _payer.Allow.Limit(account.Shard, account.Id, "USDTERC20", new WithdrawalLimits(null, null, WithdrawalLimits.None), "operator:test", Ct);
        Assert.Null((await _payer.Withdraw("100")).Json.GetProperty("waits_for").GetString());
    }

    private async Task<string> Ask() => Text((await _payer.Withdraw("60")).Json, "id");

    private async Task<(string Status, string? WaitsFor)> Status(string id)
    {
        var json = (await _payer.Get($"/withdrawal/{id}")).Json;
        return (Text(json, "status"), json.GetProperty("waits_for").GetString());
    }
}
