namespace Coffer.Tests.Rules;

/// <summary>What the currency file says about withdrawals.</summary>
public sealed class WithdrawalTermsTests
{
    private const string Coin = """{ "code": "ETH", "name": "E", "network": "ETH", "token": "ETH", "decimals": 2, "confirmations": 1 """;

    private const string Token = """
        { "code": "TOK", "name": "T", "network": "ETH", "token": "TOK", "decimals": 2, "confirmations": 1, "contract": "0x1"
        """;

    private static Currency Of(string more) => CurrenciesFile.Parse($"[{Coin}, {more} }}]").All[0];

    private static string Problem(string entry) => Assert.Single(Assert.Throws<CurrenciesFault>(() => CurrenciesFile.Parse(entry)).Problems);

    [Fact]
    public void Every_member_is_read()
    {
        var currency = Of("""
            "withdrawal_minimum": "1", "withdrawal_maximum": "50", "withdrawal_day_maximum": "100.5", "approval_above": "20",
            "withdrawal_fee": "0.1", "withdrawal_fee_per_mille": 15, "network_fee": "estimate", "network_fee_max": "3",
            "network_fee_fallback": "2", "network_fee_bearer": "customer"
            """);
        Assert.Equal((5_000, 10_050, 2_000), ((int)currency.WithdrawalMaximum!, (int)currency.WithdrawalDayMaximum!, (int)currency.ApprovalAbove!));
        Assert.Equal((10, 15, 0), ((int)currency.WithdrawalFee, currency.WithdrawalFeePerMille, (int)currency.NetworkFee));
        Assert.Equal((new EstimatedFee(300, 200), NetworkFeeBearer.Customer), (currency.NetworkFeeEstimate, currency.NetworkFeeBearer));
    }

    [Fact]
    public void What_is_left_out_limits_nothing_and_costs_nothing()
    {
        var currency = Of("\"deposit_fee\": \"0\"");
        Assert.Equal((null, null, null), (currency.WithdrawalMaximum, currency.WithdrawalDayMaximum, currency.ApprovalAbove));
        Assert.Equal((0, null, NetworkFeeBearer.House),
            (currency.WithdrawalFeePerMille, currency.NetworkFeeEstimate, currency.NetworkFeeBearer));
        Assert.Equal(0, (int)Of("\"approval_above\": \"0\"").ApprovalAbove!);
    }

    [Theory]
    [InlineData("\"withdrawal_fee_per_mille\": 1001", "withdrawal_fee_per_mille must be a whole number from 0 to 1000")]
    [InlineData("\"withdrawal_fee_per_mille\": -1", "withdrawal_fee_per_mille must be a whole number from 0 to 1000")]
    [InlineData("\"withdrawal_fee_per_mille\": \"1\"", "withdrawal_fee_per_mille must be a whole number from 0 to 1000")]
    [InlineData("\"withdrawal_minimum\": \"2\", \"withdrawal_maximum\": \"1\"", "withdrawal_maximum is below withdrawal_minimum")]
    [InlineData("\"withdrawal_maximum\": \"0\"", "withdrawal_maximum is below withdrawal_minimum")]
    [InlineData("\"withdrawal_minimum\": \"2\", \"withdrawal_day_maximum\": \"1\"", "withdrawal_day_maximum is below withdrawal_minimum")]
    [InlineData("\"network_fee\": \"estimate\"", "network_fee_max is missing")]
    [InlineData("\"network_fee\": \"estimate\", \"network_fee_max\": \"0\"", "network_fee_max must be above zero")]
    [InlineData("\"network_fee\": \"estimate\", \"network_fee_max\": \"1\", \"network_fee_fallback\": \"2\"", "network_fee_fallback is above")]
    [InlineData("\"network_fee\": \"1\", \"network_fee_max\": \"1\"", "network_fee_max is only for a network_fee that is \"estimate\"")]
    [InlineData("\"network_fee_fallback\": \"1\"", "network_fee_fallback is only for a network_fee that is \"estimate\"")]
    [InlineData("\"network_fee\": \"perhaps\"", "network_fee \"perhaps\" is not an amount")]
    [InlineData("\"network_fee_bearer\": \"nobody\"", "network_fee_bearer must be \"house\" or \"customer\"")]
    [InlineData("\"approval_above\": \"-1\"", "approval_above \"-1\" is not an amount")]
    public void What_does_not_fit_is_named(string more, string problem) =>
        Assert.StartsWith($"ETH: {problem}", Problem($"[{Coin}, {more} }}]"), StringComparison.Ordinal);

    [Fact]
    public void The_customer_of_a_token_cannot_bear_what_the_network_takes_in_its_coin() =>
        Assert.StartsWith("TOK: network_fee_bearer cannot be \"customer\" for a token",
            Problem($"[{Coin} }}, {Token}, \"network_fee_bearer\": \"customer\" }}]"), StringComparison.Ordinal);

    [Fact]
    public void A_tokens_fee_is_estimated_only_with_the_networks_coin_in_the_file()
    {
        var estimated = $"{Token}, \"network_fee\": \"estimate\", \"network_fee_max\": \"1\" }}";
        Assert.StartsWith("TOK: network_fee cannot be estimated without the own coin", Problem($"[{estimated}]"), StringComparison.Ordinal);
        Assert.Equal(2, CurrenciesFile.Parse($"[{Coin} }}, {estimated}]").All.Count);
    }
}
