using System.Text.Json;
using Coffer.Server.Withdrawals;
using Coffer.Tests.Http;
using static Coffer.Tests.Http.Withdrawer;

namespace Coffer.Tests.Webhooks;

/// <summary>withdrawal.updated: every status that a withdrawal has, and its transaction, told once and in order, also outside the ledger.</summary>
public sealed class WithdrawalEventTests(TestCluster cluster) : IAsyncLifetime
{
    private World world = null!;
    private Withdrawer payer = null!;

    private static Currencies Guarded { get; } = new(World.AllCurrencies.All.Select(c => c.Code == "USDTERC20"
        ? c with { ApprovalAbove = 50_000_000 } : c));

    public async ValueTask InitializeAsync()
    {
        world = await World.Start(cluster, currencies: Guarded);
        payer = await Withdrawer.Of(world, Mode.Test, ("USDTERC20", "1000"));
    }

    public ValueTask DisposeAsync() => world.DisposeAsync();

    [Fact]
    public async Task A_withdrawal_is_told_from_its_approval_to_its_end()
    {
        var made = await payer.Withdraw("60", more: ""","callback_url":"https://shop.example/paid" """);
        Assert.True(made.Status == 201, made.Text);
        var approver = await payer.Account.ApiKey(Scopes.Read | Scopes.Approve);
        for (var i = 0; i < 2; i++)
            Assert.Equal(200, (await payer.Post($"/withdrawal/{Text(made.Json, "id")}/approve/", "{}", approver)).Status);
        await world.FinishWithdrawals(payer.Key);

        var told = await Told();
        Assert.Equal(["pending", "approved", "processing", "processing +", "submitted +", "confirmed +", "completed +"], told);
        Assert.Equal(told.Count, await world.Query<long>(
            "SELECT count(*)::bigint FROM event WHERE type = 'withdrawal.updated' AND callback_url = 'https://shop.example/paid'"));
        Assert.Equal(1L, await world.Query<long>("SELECT count(*) FROM webhook_endpoint WHERE kind = 2"));
    }

    [Fact]
    public async Task Many_at_once_are_told_each_in_its_order()
    {
        var made = await Task.WhenAll(Enumerable.Range(1, 12).Select(n => payer.Withdraw("15")));
        Assert.All(made, got => Assert.Equal(201, got.Status));
        await world.FinishWithdrawals(payer.Key);
        foreach (var one in made)
        {
            var told = await Told(Text(one.Json, "id"));
            Assert.Equal(("pending", "completed +"), (told[0], told[^1]));
            Assert.Equal(told.Distinct(), told);
            Assert.Contains("submitted +", told);
        }
    }

    [Fact]
    public async Task What_changes_neither_status_nor_transaction_is_not_told()
    {
        await payer.Withdraw("60");
        await payer.Post("/sandbox/blocks", """{"count":3}""");
        await payer.Allow.Freeze(payer.Account.Account.Shard, payer.Account.Id, true, "checks", "operator", TestContext.Current.CancellationToken);
        await payer.Post("/sandbox/blocks", """{"count":3}""");
        Assert.Equal(["pending"], await Told());
    }

    [Fact]
    public async Task A_transaction_that_moves_to_another_block_is_no_news()
    {
        var (account, ct) = (payer.Account.Account, TestContext.Current.CancellationToken);
        var id = Guid.Parse(Text((await payer.Withdraw("60")).Json, "id"));
        await world.Execute("UPDATE withdrawal SET state = 3, decided_by = 'operator', decided_at = now() WHERE id = $1", id);
        var row = (await world.App.Db.FindWithdrawal(account.Shard, account.Id, id, ct))!;
        foreach (var (transaction, height) in ((string, long)[])[("a", 5), ("a", 6), ("b", 6), ("b", 7)])
            await world.App.Db.Transaction((tx, token) => tx.Confirm([row], transaction, height, Guarded, world.Time.GetUtcNow(), token), ct);
        Assert.Equal(["pending", "confirmed +", "confirmed +"], await Told());
    }

    private async Task<List<string>> Told(string? id = null) =>
    [
        .. (await payer.Get("/events/?types=withdrawal.updated&limit=500")).Json.GetProperty("events").EnumerateArray()
            .Select(one => one.GetProperty("data")).Where(data => id is null || Text(data, "id") == id)
            .Select(data => Text(data, "status") + (data.GetProperty("transaction_hash").ValueKind == JsonValueKind.Null ? "" : " +")),
    ];
}
