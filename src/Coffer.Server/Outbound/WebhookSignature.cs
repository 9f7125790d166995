using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Coffer.Server.Outbound;

/// <summary>The signature of Standard Webhooks 1.0.0: HMAC-SHA256 over id, time and body, one for each secret that counts.</summary>
internal static class WebhookSignature
{
    /// <summary>The value of the header <c>webhook-signature</c>: <c>v1,</c> and base64, several parted by spaces.</summary>
    public static string Of(string id, long timestamp, ReadOnlySpan<byte> body, IReadOnlyList<byte[]> secrets)
    {
        var signed = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}."));
        var all = new byte[signed.Length + body.Length];
        signed.CopyTo(all, 0);
        body.CopyTo(all.AsSpan(signed.Length));
        return string.Join(' ', secrets.Select(secret => "v1," + Convert.ToBase64String(HMACSHA256.HashData(secret, all))));
    }
}
