using System.Text.Json;
using Coffer.Tests.Http;
using static Coffer.Tests.Http.Withdrawer;

namespace Coffer.Tests.Cli;

/// <summary>The operator's commands about withdrawals, by the real program beside a running server.</summary>
public sealed class WithdrawalCommandTests(TestCluster cluster)
{
    [Fact]
    public async Task An_operator_limits_freezes_approves_and_rejects()
    {
        await using var world = await World.Start(cluster);
        var payer = await Withdrawer.Of(world, Mode.Test, ("USDTERC20", "1000"));
        var account = payer.Account.Id.ToString();
        Task<JsonElement> Run(params string[] words) => Json(world.Database, words);

        var set = await Run("limit", "set", "--account", account, "--currency", "usdterc20", "--maximum", "200", "--approval-above", "50", "--as", "alice");
        Assert.Equal(("200.00", "50.00"), (Text(set.GetProperty("limits")[0], "maximum"), Text(set.GetProperty("limits")[0], "approval_above")));
        Assert.Equal("200.00", Text(Details(await payer.Withdraw("201")), "limit"));
        var (first, second, third) = (await Ask(payer), await Ask(payer), await Ask(payer));
        var shown = await Run("limit", "show", "--account", account);
        Assert.Equal("180.00", Text(shown.GetProperty("limits")[0], "used_today"));

        var waiting = await Run("withdrawal", "list", "--waits-for", "approval");
        Assert.Equal([first, second, third], waiting.GetProperty("withdrawals").EnumerateArray().Select(line => Text(line, "id")));
        var approved = await Run("withdrawal", "approve", first, "--as", "alice");
        Assert.Equal(("approved", "operator:alice"), (Text(approved, "status"), Text(approved, "decided_by")));
        var rejected = await Run("withdrawal", "reject", second, "--reason", "unknown receiver", "--as", "bob");
        Assert.Equal(("rejected", "operator:bob", "unknown receiver"), (Text(rejected, "status"), Text(rejected, "decided_by"), Text(rejected, "reason")));
        Assert.Equal("unknown receiver", Text((await payer.Get($"/withdrawal/{second}")).Json, "reason"));
        Assert.Equal("cancelled", Text(await Run("withdrawal", "cancel", third), "status"));
        Assert.Equal("cancelled", Text(await Run("withdrawal", "show", third), "status"));
        Assert.Equal(3, (await Run("withdrawal", "list", "--account", account)).GetProperty("withdrawals").GetArrayLength());
        await Refused(world.Database, 1, "was decided already", "withdrawal", "approve", first, "--as", "bob");
        await Refused(world.Database, 1, "There is no withdrawal", "withdrawal", "show", Guid.Empty.ToString());

        var frozen = await Run("freeze", "on", "--account", account, "--reason", "ticket 12", "--as", "alice");
        Assert.Equal((true, "ticket 12", "operator:alice"),
            (frozen.GetProperty("account").GetBoolean(), Text(frozen, "account_reason"), Text(frozen, "account_by")));
        Assert.Equal("account_frozen", (await payer.Withdraw("10")).ErrorCode);
        await Run("freeze", "off", "--account", account);
        Assert.True((await Run("freeze", "on", "--reason", "all")).GetProperty("all").GetBoolean());
        Assert.Equal("account_frozen", (await payer.Withdraw("10")).ErrorCode);
        Assert.False((await Run("freeze", "off")).GetProperty("all").GetBoolean());
        Assert.Equal(201, (await payer.Withdraw("10")).Status);
    }

    [Fact]
    public async Task An_operator_keeps_the_list_of_addresses_and_gives_keys_that_decide()
    {
        await using var world = await World.Start(cluster);
        var payer = await Withdrawer.Of(world, Mode.Test, ("USDTERC20", "1000"));
        var account = payer.Account.Id.ToString();
        string[] address = ["--account", account, "--network", "eth", "--address", Payee];
        var only = await Json(world.Database, "withdrawal", "address", "only", "on", "--account", account, "--wait-hours", "0");
        Assert.True(only.GetProperty("addresses_only").GetBoolean());
        Assert.Equal("address_not_allowed", (await payer.Withdraw("10")).ErrorCode);
        Assert.Equal("ETH", Text(await Json(world.Database, ["withdrawal", "address", "add", "--name", "store", .. address]), "network"));
        Assert.Equal(201, (await payer.Withdraw("10")).Status);
        await Refused(world.Database, 1, "is on the account's list already", ["withdrawal", "address", "add", "--name", "store", .. address]);
        var list = await Json(world.Database, "withdrawal", "address", "list", "--account", account);
        Assert.Equal(Payee, Text(list.GetProperty("addresses")[0], "address"));
        await Json(world.Database, ["withdrawal", "address", "remove", .. address]);
        Assert.Equal("address_not_allowed", (await payer.Withdraw("10")).ErrorCode);

        var key = await Json(world.Database, "key", "create", "--account", account, "--scopes", "read,approve");
        Assert.Equal(["read", "approve"], key.GetProperty("scopes").EnumerateArray().Select(s => s.GetString()));
        Assert.Equal(403, (await payer.Withdraw("10", key: Text(key, "api_key"))).Status);
        Assert.Equal(404, (await payer.Post($"/withdrawal/{Guid.Empty}/approve/", "{}", Text(key, "api_key"))).Status);
    }

    [Theory]
    [InlineData("Say why with --reason", "freeze", "on")]
    [InlineData("--reason must be one line", "freeze", "on", "--reason", "")]
    [InlineData("--account must be a UUID", "freeze", "off", "--account", "x")]
    [InlineData("ID must be a UUID", "withdrawal", "approve", "x")]
    [InlineData("--limit must be a whole number", "withdrawal", "list", "--limit", "0")]
    [InlineData("--scopes must be read, write or read,write", "client", "create", "--account", "x", "--scopes", "approve")]
    [InlineData("--wait-hours must be a whole number", "withdrawal", "address", "only", "on", "--account", "x", "--wait-hours", "1000")]
    [InlineData("is no amount of BTC", "limit", "set", "--account", "00000000-0000-0000-0000-000000000000", "--currency", "BTC", "--maximum", "-1")]
    [InlineData("begin with sim1", "withdrawal", "address", "add", "--name", "n", "--network", "ETH", "--address", "0x1", "--account", "ACCOUNT")]
    [InlineData("No currency of the currency file is on the network", "withdrawal", "address", "add", "--name", "n", "--network", "NOPE",
        "--address", "0x1", "--account", "ACCOUNT")]
    public async Task What_cannot_be_meant_is_a_sentence(string sentence, params string[] words)
    {
        await using var world = await World.Start(cluster);
        var account = (await world.Account()).Id.ToString();
        var ended = await Binary.Run([.. words.Select(word => word is "ACCOUNT" or "00000000-0000-0000-0000-000000000000" ? account : word),
            "--database", world.Database]);
        Assert.NotEqual(0, ended.Status);
        Assert.Contains(sentence, ended.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", ended.Error, StringComparison.Ordinal);
    }

    private static async Task<string> Ask(Withdrawer payer) => Text((await payer.Withdraw("60")).Json, "id");

    private static async Task<JsonElement> Json(string database, params string[] words)
    {
        var ended = await Binary.Run([.. words, "--database", database, "--json"]);
        Assert.True(ended.Status == 0, ended.Error);
        return ended.Json;
    }

    private static async Task Refused(string database, int status, string sentence, params string[] words)
    {
        var ended = await Binary.Run([.. words, "--database", database]);
        Assert.Equal(status, ended.Status);
        Assert.Contains(sentence, ended.Error, StringComparison.Ordinal);
    }
}
