using System.Text;
using Coffer.Ledger;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Microsoft.AspNetCore.Http;

namespace Coffer.Tests.Http;

/// <summary>The same key and request: one effect, one answer; whatever else came under the key is refused.</summary>
public sealed class IdempotencyTests(TestCluster cluster)
{
    private static readonly Currency _currency = World.AllCurrencies.Find("BTC")!;

    [Fact]
    public async Task Fifty_at_once_with_one_key_have_one_effect_and_identical_answers()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var runs = 0;
        var idempotency = Idempotency(world);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Ask(idempotency, account, "pay-1", "{\"a\":1}", key =>
        {
            Interlocked.Increment(ref runs);
            return Pay(world, account, key!);
        })));
        Assert.All(answers, answer => Assert.Equal((201, answers[0].Text), (answer.Status, answer.Text)));
        Assert.Equal(49, answers.Count(answer => answer.Replayed));
        Assert.Equal(1, runs);
        Assert.Equal(1L, await world.Query<long>("SELECT count(*) FROM posting"));
    }

    [Fact]
    public async Task A_replay_is_byte_for_byte_the_answer_and_survives_a_restart()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var first = await Ask(Idempotency(world), account, "k", "{}", _ =>
            Task.FromResult(new Reply(201, "{ \"odd\" : 1.50 }"u8.ToArray())));
        var again = await Ask(Idempotency(world), account, "\"k\"", "{}", _ => throw new InvalidOperationException("ran twice"),
            path: "/wallets/transfer/");
        Assert.Equal((201, "{ \"odd\" : 1.50 }", true), again);
        Assert.Equal((201, "{ \"odd\" : 1.50 }", false), first);
    }

    [Theory]
    [InlineData("{\"a\":2}", "/wallets/transfer")]
    [InlineData("{\"a\":1}", "/withdrawal/")]
    [InlineData("{\"a\":1}", "/wallets/transfer?x=1")]
    public async Task The_same_key_with_another_request_is_refused_and_has_no_effect(string body, string path)
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        await Ask(Idempotency(world), account, "k", "{\"a\":1}", _ => Task.FromResult(new Reply(201, "{}"u8.ToArray())));
        var refused = await Assert.ThrowsAsync<Refused>(() =>
            Ask(Idempotency(world), account, "k", body, _ => throw new InvalidOperationException("ran"), path));
        Assert.Equal(RefusalCode.IdempotencyKeyReused, refused.Refusal.Code);
    }

    [Fact]
    public async Task A_key_belongs_to_its_account()
    {
        await using var world = await World.Start(cluster);
        foreach (var account in new[] { await world.Account(), await world.Account() })
            Assert.False((await Ask(Idempotency(world), account, "k", "{}", _ =>
                Task.FromResult(new Reply(201, "{}"u8.ToArray())))).Replayed);
    }

    [Fact]
    public async Task A_refusal_or_a_fault_is_not_kept()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        await Assert.ThrowsAsync<Refused>(() => Ask(Idempotency(world), account, "k", "{}",
            _ => throw new Refused(new(RefusalCode.InsufficientBalance, "Too little."))));
        await Assert.ThrowsAsync<FormatException>(() =>
            Ask(Idempotency(world), account, "k", "{\"corrected\":1}", _ => throw new FormatException()));
        var answer = await Ask(Idempotency(world), account, "k", "{}", _ => Task.FromResult(new Reply(201, "{}"u8.ToArray())));
        Assert.Equal((201, "{}", false), answer);
    }

    [Fact]
    public async Task While_the_first_runs_the_same_request_is_told_to_come_again()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var running = new TaskCompletionSource();
        var mayEnd = new TaskCompletionSource();
        var first = Ask(Idempotency(world), account, "k", "{}", async _ =>
        {
            running.SetResult();
            await mayEnd.Task;
            return new Reply(201, "{}"u8.ToArray());
        });
        await running.Task;
        var refused = await Assert.ThrowsAsync<Refused>(() =>
            Ask(Idempotency(world), account, "k", "{}", _ => throw new InvalidOperationException("ran")));
        Assert.Equal(RefusalCode.IdempotencyInFlight, refused.Refusal.Code);
        mayEnd.SetResult();
        Assert.Equal(201, (await first).Status);
    }

    [Fact]
    public async Task A_claim_whose_process_died_is_taken_over_and_the_ledger_still_moves_once()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        // A run that moved the money and died before it could keep its answer.
        var mayEnd = new TaskCompletionSource();
        var moved = new TaskCompletionSource();
        var dead = Ask(Idempotency(world), account, "k", "{}", async key =>
        {
            var reply = await Pay(world, account, key!);
            moved.SetResult();
            await mayEnd.Task;
            return reply;
        });
        await moved.Task;
        await world.Execute("UPDATE idempotency_key SET claimed_at = claimed_at - make_interval(secs => $1)",
            IdempotencyApi.ClaimSeconds + 1.0);
        var second = await Ask(Idempotency(world), account, "k", "{}", key => Pay(world, account, key!));
        mayEnd.SetResult();
        Assert.Equal((201, second.Text), ((await dead).Status, (await dead).Text));
        Assert.Equal(1L, await world.Query<long>("SELECT count(*) FROM posting"));
    }

    [Fact]
    public async Task A_slow_run_that_was_taken_for_dead_and_still_ends_first_gives_the_answer_that_is_kept()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        TaskCompletionSource slowRuns = new(), slowMayEnd = new(), otherRuns = new(), otherMayEnd = new();
        var slow = Ask(Idempotency(world), account, "k", "{}", _ => Held(slowRuns, slowMayEnd, "slow"));
        await slowRuns.Task;
        await world.Execute("UPDATE idempotency_key SET claimed_at = claimed_at - make_interval(secs => $1)",
            IdempotencyApi.ClaimSeconds + 1.0);
        var other = Ask(Idempotency(world), account, "k", "{}", _ => Held(otherRuns, otherMayEnd, "other"));
        await otherRuns.Task;
        slowMayEnd.SetResult();
        Assert.Equal("\"slow\"", (await slow).Text);
        otherMayEnd.SetResult();
        Assert.Equal("\"slow\"", (await other).Text);
        Assert.Equal((201, "\"slow\"", true), await Ask(Idempotency(world), account, "k", "{}", _ => throw new InvalidOperationException("ran")));

        static async Task<Reply> Held(TaskCompletionSource runs, TaskCompletionSource mayEnd, string word)
        {
            runs.SetResult();
            await mayEnd.Task;
            return Reply.Json(201, word);
        }
    }

    [Fact]
    public async Task Keys_are_deleted_after_the_days_that_the_operator_set()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        foreach (var key in new[] { "old", "new" })
            await Ask(Idempotency(world), account, key, "{}", _ => Task.FromResult(new Reply(201, "{}"u8.ToArray())));
        await world.Execute("UPDATE idempotency_key SET claimed_at = claimed_at - interval '8 days' WHERE key = 'old'");
        await Idempotency(world).DeleteOld(7, CancellationToken.None);
        Assert.Equal("new", await world.Query<string>("SELECT string_agg(key, ',') FROM idempotency_key"));
    }

    [Theory]
    [InlineData("abc", "abc")]
    [InlineData("\"abc\"", "abc")]
    [InlineData("\"a\\\"b\\\\\"", "a\"b\\")]
    [InlineData("a b", "a b")]
    [InlineData("", null)]
    [InlineData("\"\"", null)]
    [InlineData("\"abc", null)]
    [InlineData("\"a\"b\"", null)]
    [InlineData("\"a\\n\"", null)]
    [InlineData("\"a\\\"", null)]
    [InlineData("\"a\";p=1", null)]
    [InlineData("caf\u00e9", null)]
    [InlineData("a\tb", null)]
    public void A_key_comes_bare_or_as_a_quoted_string(string header, string? key) => Assert.Equal(key, IdempotencyKey.Read(header));

    [Fact]
    public void A_key_has_at_most_255_characters()
    {
        var longest = new string('k', 255);
        Assert.Equal(longest, IdempotencyKey.Read($"\"{longest}\""));
        Assert.Null(IdempotencyKey.Read(longest + "k"));
    }

    private static IdempotencyApi Idempotency(World world) => new(world.App.Db, world.Ids, world.Time);

    private static async Task<Reply> Pay(World world, TestAccount account, string key)
    {
        var outcome = await world.App.Ledger.Write(account.Account.Shard,
            new Correct(account.Id, account.DefaultWallet, _currency, Reference.Of($"test:{key}"), 5, null, "a gift"));
        return Reply.Json(201, new { Id = outcome.Accepted().Id.ToString() });
    }

    private static async Task<(int Status, string Text, bool Replayed)> Ask(IdempotencyApi idempotency, TestAccount account, string key,
        string body,
        Func<string?, Task<Reply>> work, string path = "/wallets/transfer")
    {
        var http = new DefaultHttpContext();
        var question = path.IndexOf('?');
        http.Request.Method = "POST";
        http.Request.Path = question < 0 ? path : path[..question];
        http.Request.QueryString = new QueryString(question < 0 ? "" : path[question..]);
        http.Request.Headers["Idempotency-Key"] = key;
        http.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
        http.Request.ContentLength = body.Length;
        var sent = new MemoryStream();
        http.Response.Body = sent;
        await idempotency.Run(http, account.Id, work);
        return (http.Response.StatusCode, Encoding.UTF8.GetString(sent.ToArray()), http.Response.Headers["Idempotent-Replayed"] == "true");
    }
}
