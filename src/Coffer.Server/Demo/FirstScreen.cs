namespace Coffer.Server.Demo;

/// <summary>What the demo prints when it is ready: every line can be pasted into a shell as it stands.</summary>
internal static class FirstScreen
{
    public static string Of(ReadyToQuery demo, string more) => $"""

        Coffer demo is ready on {demo.BaseUrl}

        # The dashboard is {demo.DashboardUrl}
        # Sign in as {demo.DashboardUser} with {demo.DashboardPassword}

        # What one wallet holds (API key)
        curl "{demo.BaseUrl}/wallets/balances?wallet_id={demo.TradingWalletId}" -H "X-API-Key: {demo.TradingApiKey}"

        # What the account holds, and its last seven days (access token)
        TOKEN=$(curl -s {demo.BaseUrl}/o/token/ -u {demo.ClientId}:{demo.ClientSecret} \
          -d grant_type=client_credentials -d scope=read | sed 's/.*"access_token": *"\([^"]*\)".*/\1/')
        curl {demo.BaseUrl}/user/balances/ -H "Authorization: Bearer $TOKEN"
        curl "{demo.BaseUrl}/user/balances/history/?currency=USDTERC20&period=7d" -H "Authorization: Bearer $TOKEN"

        # The simulated chain moves only when told: pay in, then mine until the deposit and what was pending are final
        curl {demo.BaseUrl}/sandbox/deposits -H "X-API-Key: {demo.ApiKey}" -H "Content-Type: application/json" \
          -d '{"{"}"wallet_id":"{demo.WalletId}","currency":"USDTERC20","amount":"25.00"{"}"}'
        curl {demo.BaseUrl}/sandbox/blocks -H "X-API-Key: {demo.ApiKey}" -H "Content-Type: application/json" -d '{"{"}"count":12{"}"}'

        # Everything the account was told, oldest first; what happens next: curl -N {demo.BaseUrl}/events/stream -H ...
        curl "{demo.BaseUrl}/events/?limit=3" -H "X-API-Key: {demo.ApiKey}"
        {more}
        Ctrl-C stops it; the data stays.
        """;
}
