namespace Coffer.Server.Host;

/// <summary>The header <c>Idempotency-Key</c> of a request, and the mark of an answer that is given again.</summary>
internal static class IdempotencyKeys
{
    /// <summary>The key; null when none was sent. Refuses a request with two, or with one that is none.</summary>
    public static string? Of(HttpContext http)
    {
        var header = http.Request.Headers["Idempotency-Key"];
        if (header.Count == 0)
            return null;
        return (header.Count == 1 ? IdempotencyKey.Read(header[0] ?? "") : null) ?? throw new Refused(Refusal.Parameter("Idempotency-Key",
            $"Send one key of 1 to {IdempotencyKey.LengthMax} printable ASCII characters, bare or in double quotes."));
    }

    /// <summary>Says that the answer is the one that the first request with the key got.</summary>
    public static void Replayed(HttpContext http) => http.Response.Headers["Idempotent-Replayed"] = "true";
}
