namespace Coffer.Server.Demo;

/// <summary>What a client needs to query the demo; the object of <c>--ready</c>, whose members stay.</summary>
internal sealed record ReadyToQuery(string BaseUrl, Guid AccountId, Guid WalletId, string ApiKey, string ClientId, string ClientSecret,
    Guid TradingAccountId, Guid TradingWalletId, string TradingApiKey, string TradingClientId, string TradingClientSecret)
{
    public static ReadyToQuery Of(string baseUrl, DemoPlan plan) => new(
        baseUrl, plan.Main.AccountId, plan.Main.DefaultWalletId, plan.Main.ApiKey, plan.Main.ClientId, plan.Main.ClientSecret,
        plan.Trading.AccountId, plan.Trading.WalletId, plan.Trading.ApiKey, plan.Trading.ClientId, plan.Trading.ClientSecret);
}
