using System.Text.Json.Serialization;

namespace Coffer.Server.Demo;

/// <summary>What a client needs to query the demo; the object of <c>--ready</c>, whose members stay.</summary>
internal sealed record ReadyToQuery(string BaseUrl, Guid AccountId, Guid WalletId, string ApiKey, string ClientId, string ClientSecret,
    Guid TradingAccountId, Guid TradingWalletId, string TradingApiKey, string TradingClientId, string TradingClientSecret,
    string DashboardUrl, string DashboardUser, string DashboardPassword)
{
    /// <summary>Only with <c>--chain</c>: where the node answers.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ChainNodeUrl { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Guid? ChainAccountId { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Guid? ChainWalletId { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ChainApiKey { get; init; }

    /// <summary>Only with <c>--chain</c>: what to pay.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ChainAddress { get; init; }

    public static ReadyToQuery Of(string baseUrl, DemoPlan plan, ChainDemo? chain, Uri? node) => new(
        baseUrl, plan.Main.AccountId, plan.Main.DefaultWalletId, plan.Main.ApiKey, plan.Main.ClientId, plan.Main.ClientSecret,
        plan.Trading.AccountId, plan.Trading.WalletId, plan.Trading.ApiKey, plan.Trading.ClientId, plan.Trading.ClientSecret,
        baseUrl + "/", DemoPlan.User, plan.DashboardPassword!)
    {
        ChainNodeUrl = node?.ToString(),
        ChainAccountId = chain?.AccountId,
        ChainWalletId = chain?.WalletId,
        ChainApiKey = chain?.ApiKey,
        ChainAddress = chain?.Address,
    };
}
