using System.Net;

namespace Coffer.Tests.Dashboard;

/// <summary>An authenticator app: reads what the page of one's own name offers, and makes codes of it.</summary>
internal static class Authenticator
{
    /// <summary>A new secret as the form brings it back, and in base 32.</summary>
    public static async Task<(string Encrypted, string Secret)> Offered(Browser browser)
    {
        var page = await browser.Get("/dashboard/me");
        return (WebUtility.HtmlDecode(page.Text.Split("name=\"secret\" value=\"")[1].Split('"')[0]),
            page.Text.Split("<code id=\"secret\">")[1].Split('<')[0].Replace(" ", ""));
    }

    /// <summary>Adds an authenticator, the first time with a wrong code; returns its secret in base 32.</summary>
    public static async Task<string> SetUp(Browser browser, TimeProvider time)
    {
        var (encrypted, secret) = await Offered(browser);
        Task<Got> Send(string code) => browser.Submit("/dashboard/me", "/dashboard/me?handler=Totp",
            ("password", Browser.Password), ("secret", encrypted), ("code", code));
        Assert.Contains("code is not", (await Send("000000")).Text);
        Assert.Equal(302, (await Send(Code(secret, time))).Status);
        return secret;
    }

    /// <summary>The code of now.</summary>
    public static string Code(string secret, TimeProvider time) => Totp.Code(FromBase32(secret), Totp.Step(time.GetUtcNow()));

    private static byte[] FromBase32(string text)
    {
        var bits = string.Concat(text.Select(c => Convert.ToString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(c), 2).PadLeft(5, '0')));
        return [.. Enumerable.Range(0, bits.Length / 8).Select(i => Convert.ToByte(bits.Substring(i * 8, 8), 2))];
    }
}
