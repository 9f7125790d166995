using System.Text.Json;
using static Coffer.Tests.Http.Withdrawer;

namespace Coffer.Tests.Http;

/// <summary>What a withdrawal would cost. USDTERC20: 15 per mille and 1, network 3.50.</summary>
public sealed class WithdrawalQuoteTests(TestCluster cluster) : IAsyncLifetime
{
    private World _world = null!;
    private Withdrawer _payer = null!;

    private static Currencies Priced { get; } = new(World.AllCurrencies.All.Select(c => c.Code switch
    {
        "USDTERC20" => c with { WithdrawalFeePerMille = 15, WithdrawalMaximum = 500_000_000, WithdrawalDayMaximum = 600_000_000, ApprovalAbove = 100_000_000 },
        "ETH" => c with { NetworkFee = 0, NetworkFeeEstimate = new EstimatedFee(5_000_000_000_000_000, 2_000_000_000_000_000) },
        _ => c,
    }));

    public async ValueTask InitializeAsync()
    {
        _world = await World.Start(cluster, currencies: Priced);
        _payer = await Withdrawer.Of(_world, Mode.Test, ("USDTERC20", "1000"), ("BTC", "0.00012"), ("ETH", "1"));
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("100", "", "100.00 100.00 6.00 2.50 3.50 106.00 False")]
    [InlineData("100.01", "", "100.01 100.01 6.00015 2.50015 3.50 106.01015 True")]
    [InlineData("100", ", \"final_amount\":false", "94.00 100.00 6.00 2.50 3.50 100.00 False")]
    public async Task An_estimate_is_what_the_withdrawal_is_then_charged(string amount, string more, string figures)
    {
        var body = $$"""{"amount":"{{amount}}","currency":"usdterc20","address":"{{Payee}}"{{more}}}""";
        var quote = (await _payer.Post("/withdrawal/estimate/", body)).Json;
        Assert.Equal(figures, string.Join(' ', ((string[])["amount", "requested_amount", "fee", "platform_fee", "network_fee", "total_deducted"])
            .Select(name => Text(quote, name)).Append($"{quote.GetProperty("needs_approval").GetBoolean()}")));
        Assert.Equal(("estimate", "USDTERC20", "ETH", "USDT"), (Text(quote, "status"), Text(quote, "currency"), Text(quote, "blockchain"), Text(quote, "token")));
        Assert.Equal(JsonValueKind.Null, quote.GetProperty("withdrawal_id").ValueKind);

        var made = (await _payer.Post("/withdrawal/", body)).Json;
        foreach (var name in (string[])["amount", "network_fee", "transaction_fee", "total_fee", "total_deducted", "requested_amount"])
            Assert.Equal(Text(quote, name), Text(made, name));
        Assert.Equal($"1000.00/{Text(quote, "total_deducted")}", await _payer.Balance());
    }

    [Fact]
    public async Task A_currency_is_named_by_its_code_or_by_network_and_token()
    {
        foreach (var path in (string[])["estimate", "fee-estimate", "min-amount"])
        {
            var amount = path == "min-amount" ? "" : "\"amount\":\"100\",";
            var byCode = await _payer.Post($"/withdrawal/{path}/", $$"""{{{amount}}"currency":"USDTERC20"}""");
            var byName = await _payer.Post($"/withdrawal/{path}/", $$"""{{{amount}}"blockchain":"eth","token":"usdt"}""");
            Assert.Equal((200, byCode.Text), (byName.Status, byName.Text));
        }

        var made = await _payer.Post("/withdrawal/", $$"""{"amount":"10","blockchain":"ETH","token":"USDT","address":"{{Payee}}"}""");
        Assert.Equal((201, "USDTERC20"), (made.Status, Text(made.Json, "currency")));
    }

    [Fact]
    public async Task The_fees_of_an_amount_are_told_whether_or_not_it_could_be_withdrawn()
    {
        var fee = (await _payer.Post("/withdrawal/fee-estimate/", """{"amount":"1000000","currency":"USDTERC20"}""")).Json;
        Assert.Equal(("15004.50", "15001.00", "3.50"), (Text(fee, "fee"), Text(fee, "platform_fee"), Text(fee, "network_fee")));
        Assert.Equal(400, (await _payer.Post("/withdrawal/fee-estimate/", $$"""{"amount":"{{new string('9', 32)}}","currency":"USDTERC20"}""")).Status);
    }

    [Fact]
    public async Task The_least_and_the_most_are_told()
    {
        var got = await _payer.Post("/withdrawal/min-amount/", """{"currency":"USDTERC20"}""");
        Assert.Equal("""
            {"min_amount":"10.00","max_amount":"500.00","max_amount_per_day":"600.00","currency":"USDTERC20","blockchain":"ETH","token":"USDT"}
            """, got.Text);
        var account = _payer.Account.Account;
        await _payer.Allow.Limit(account.Shard, account.Id, "USDTERC20", new WithdrawalLimits(20_000_000, null, null), "o", CancellationToken.None);
        Assert.Equal("20.00", Text((await _payer.Post("/withdrawal/min-amount/", """{"currency":"USDTERC20"}""")).Json, "max_amount"));
        Assert.Equal(422, (await _payer.Post("/withdrawal/estimate/", """{"amount":"20.01","currency":"USDTERC20"}""")).Status);
    }

    [Fact]
    public async Task What_can_be_withdrawn_of_each_currency_can_be_withdrawn_and_one_unit_more_cannot()
    {
        var lines = (await _payer.Get("/withdrawal/available-currencies/")).Json;
        Assert.Equal(3, lines.GetProperty("total").GetInt32());
        // The wallet's whole balance of BTC is less than its fees and minimum.
        Assert.Equal(["BTC 0.00012 0.0001 0.00", "ETH 1.00 0.01 0.9975", "USDTERC20 1000.00 10.00 500.00"],
            lines.GetProperty("currencies").EnumerateArray().Select(line =>
                $"{Text(line, "currency")} {Text(line, "balance")} {Text(line, "min_withdrawal")} {Text(line, "max_withdrawal")}"));
        Assert.Equal(422, (await _payer.Withdraw("0.997500000000000001", "ETH")).Status);
        Assert.Equal(201, (await _payer.Withdraw("0.9975", "ETH")).Status);
        Assert.Equal(201, (await _payer.Withdraw("500")).Status);
        lines = (await _payer.Get("/withdrawal/available-currencies/")).Json;
        Assert.Equal(["BTC 0.00", "USDTERC20 100.00"], lines.GetProperty("currencies").EnumerateArray()
            .Select(line => $"{Text(line, "currency")} {Text(line, "max_withdrawal")}"));

        var other = await _payer.Account.Wallet("empty");
        Assert.Equal(0, (await _payer.Get($"/withdrawal/available-currencies/?account_id={other}")).Json.GetProperty("total").GetInt32());
        Assert.Equal(404, (await _payer.Get($"/withdrawal/available-currencies/?account_id={Guid.Empty}")).Status);
        await _payer.Allow.FreezeAll(true, "r", "o", CancellationToken.None);
        lines = (await _payer.Get("/withdrawal/available-currencies/")).Json;
        Assert.All(lines.GetProperty("currencies").EnumerateArray(), line => Assert.Equal("0.00", Text(line, "max_withdrawal")));
    }

    [Theory]
    [InlineData("estimate", """{"currency":"USDTERC20"}""", "invalid_request")]
    [InlineData("estimate", """{"amount":"100"}""", "invalid_request")]
    [InlineData("estimate", """{"amount":"9.99","currency":"USDTERC20"}""", "invalid_amount")]
    [InlineData("estimate", """{"amount":"0","currency":"USDTERC20"}""", "invalid_amount")]
    [InlineData("estimate", """{"amount":"1.0000001","currency":"USDTERC20"}""", "invalid_amount")]
    [InlineData("estimate", """{"amount":"100","currency":"NOPE"}""", "invalid_currency")]
    [InlineData("estimate", """{"amount":"100","blockchain":"ETH","token":"NOPE"}""", "invalid_currency")]
    [InlineData("estimate", """{"amount":"100","blockchain":"ETH"}""", "invalid_request")]
    [InlineData("estimate", """{"amount":"100","token":"USDT"}""", "invalid_request")]
    [InlineData("estimate", """{"amount":"100","currency":"BTC","blockchain":"ETH","token":"USDT"}""", "invalid_amount", "invalid_request")]
    [InlineData("estimate", """{"amount":"100","currency":"USDTERC20","address":"0x1"}""", "invalid_address")]
    [InlineData("estimate", """{"amount":"100","currency":"USDTERC20","final_amount":"yes"}""", "invalid_request")]
    [InlineData("estimate", """{"amount":"100","currency":"USDTERC20","surprise":1}""", "invalid_request")]
    [InlineData("estimate", "[]", "invalid_request")]
    [InlineData("fee-estimate", """{"currency":"USDTERC20"}""", "invalid_request")]
    [InlineData("fee-estimate", """{"amount":"100","currency":"USDTERC20","address":"nonsense"}""", "invalid_address")]
    [InlineData("fee-estimate", """{"amount":"100","currency":"USDTERC20","final_amount":true}""", "invalid_request")]
    [InlineData("min-amount", "{}", "invalid_request")]
    [InlineData("min-amount", """{"currency":"USDTERC20","amount":"1"}""", "invalid_request")]
    public async Task What_makes_no_sense_is_refused(string path, string body, params string[] codes)
    {
        var got = await _payer.Post($"/withdrawal/{path}/", body);
        Assert.Equal(400, got.Status);
        Assert.Contains(got.ErrorCode, codes);
    }

    [Fact]
    public async Task Estimates_take_who_may_write_and_the_list_who_may_read()
    {
        var reader = await _payer.Account.ApiKey(Scopes.Read);
        foreach (var path in (string[])["estimate", "fee-estimate", "min-amount"])
        {
            Assert.Equal(403, (await _payer.Post($"/withdrawal/{path}/", "{}", reader)).Status);
            Assert.Equal(401, (await _world.Send(HttpMethod.Post, $"/withdrawal/{path}/", "{}")).Status);
        }

        Assert.Equal(200, (await _world.Send(HttpMethod.Get, "/withdrawal/available-currencies/", null, ("X-API-Key", reader))).Status);
        Assert.Equal(400, (await _payer.Get("/withdrawal/available-currencies/?account_id=x")).Status);
        Assert.Equal(400, (await _payer.Get("/withdrawal/available-currencies/?x=1")).Status);
        var live = await Withdrawer.Of(_world, Mode.Live, ("USDTERC20", "100"));
        Assert.Equal(503, (await live.Post("/withdrawal/estimate/", """{"amount":"10","currency":"USDTERC20"}""")).Status);
        Assert.Equal(0, (await live.Get("/withdrawal/available-currencies/")).Json.GetProperty("total").GetInt32());
    }
}
