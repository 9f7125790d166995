using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Coffer.Server.Auth;
using Coffer.Server.Wallets;

namespace Coffer.Bench;

/// <summary>An account with its credentials.</summary>
internal sealed record BenchAccount(Guid Id, short Shard, Guid Wallet, string ApiKey, string ClientId, string ClientSecret)
{
    /// <summary>Gets an access token as a client does.</summary>
    public async Task<string> Token(HttpClient http, Uri server)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server, "/o/token/"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{ClientId}:{ClientSecret}")));
        request.Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["scope"] = "read" });
        using var answer = await http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("access_token").GetString()!;
    }
}

/// <summary>Accounts to measure with, made by the product's own code.</summary>
internal static class BenchAccounts
{
    /// <summary>The currencies of the measurements, as a currency file describes them: three that are moved, and as many more as make twenty.</summary>
    public static Currencies Currencies { get; } = CurrenciesFile.Parse(Encoding.UTF8.GetBytes($$"""
        [
          {{string.Concat(Enumerable.Range(1, 17).Select(More))}}
          {"code": "USDTERC20", "name": "Tether USD", "network": "ETH", "token": "USDT", "decimals": 6, "contract": "0xdAC17F958D2ee523a2206206994597C13D831ec7", "confirmations": 12, "approval_above": "1"},
          {"code": "USDTTRC20", "name": "Tether USD", "network": "TRX", "token": "USDT", "decimals": 6, "contract": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "confirmations": 20},
          {"code": "BTC", "name": "Bitcoin", "network": "BTC", "token": "BTC", "decimals": 8, "confirmations": 3}
        ]
        """));

    private static string More(int i) => $$"""
        {"code": "T{{i}}ERC20", "name": "Token {{i}}", "network": "ETH", "token": "T{{i}}", "decimals": 6, "contract": "0x{{i:D40}}", "confirmations": 12},
        """;

    public static async Task<BenchAccount> Make(Rig rig, string name, Mode mode = Mode.Live, Scopes scopes = Scopes.Read)
    {
        var issue = new IssueCredential(rig.Db, rig.Ids, RandomNumberGenerator.Fill, TimeProvider.System);
        var (account, wallet) = await CreateAccount.Run(rig.Db, rig.Ids, TimeProvider.System, PostingBench.Shards, name, mode, null, CancellationToken.None);
        var (key, _) = await issue.ApiKey(account, name, scopes, null, null, null, CancellationToken.None);
        var (secret, client) = await issue.Client(account, name, scopes, CancellationToken.None);
        return new BenchAccount(account.Id.Value, account.Shard, wallet.Id.Value, key, client.ClientId, secret);
    }
}
