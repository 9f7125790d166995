#:sdk Microsoft.NET.Sdk.Web
#:property PublishAot=false
// Takes webhooks of Coffer and verifies them (Standard Webhooks 1.0.0):
//   WEBHOOK_SECRET=whsec_... PORT=3000 dotnet run receiver.cs
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

var secret = Convert.FromBase64String(Environment.GetEnvironmentVariable("WEBHOOK_SECRET")!["whsec_".Length..]);
var done = new HashSet<string>(); // In your database, in the transaction that acts on the event.
var app = WebApplication.CreateBuilder(args).Build();

app.MapPost("/", async (HttpRequest request) =>
{
    using var reader = new StreamReader(request.Body, Encoding.UTF8);
    var body = await reader.ReadToEndAsync();
    var id = request.Headers["webhook-id"].ToString();
    if (!Verified(id, request.Headers["webhook-timestamp"].ToString(), request.Headers["webhook-signature"].ToString(), body))
        return Results.StatusCode(400);
    lock (done)
    {
        if (done.Add(id)) // The same event may come again, always with the same id.
            Console.WriteLine($"{JsonDocument.Parse(body).RootElement.GetProperty("type")} {id}");
    }

    return Results.NoContent();
});
app.Run($"http://127.0.0.1:{Environment.GetEnvironmentVariable("PORT") ?? "3000"}");

bool Verified(string id, string timestamp, string signatures, string body)
{
    if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        || Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - seconds) > 300)
        return false; // Old: somebody sends again what he has overheard.
    var expected = HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}"));
    return signatures.Split(' ').Any(one => one.StartsWith("v1,")
        && CryptographicOperations.FixedTimeEquals(expected, Base64(one["v1,".Length..])));
}

static byte[] Base64(string text) => Convert.TryFromBase64String(text, new byte[text.Length], out _) ? Convert.FromBase64String(text) : [];
