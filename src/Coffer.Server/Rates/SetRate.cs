using Coffer.Server.Sql;

namespace Coffer.Server.Rates;

/// <summary>Sets the price of a currency, now or for an earlier hour. Called by the command line and the demo.</summary>
internal static class SetRate
{
    /// <summary>Longest name of a source of prices, in characters.</summary>
    public const int SourceMax = 100;

    /// <param name="code">The currency, in any case.</param>
    /// <param name="price">US dollars for one whole unit, as plain decimal text; may be zero.</param>
    /// <param name="at">When the price was known; null for now, never later than now.</param>
    /// <param name="source">Who says so; kept for the operator.</param>
    /// <exception cref="Refused">With <see cref="RefusalCode.InvalidCurrency"/> or <see cref="RefusalCode.InvalidRequest"/>.</exception>
    public static async Task<UsdPrice> Run(Db db, Currencies currencies, TimeProvider time, string code, string price, DateTimeOffset? at,
        string source, CancellationToken ct)
    {
        if (!currencies.TryFind(code, out var currency))
            throw new Refused(Unknown());
        if (!UsdPrice.TryParse(price, out var parsed, out var fault))
            throw new Refused(Refusal.Parameter("price", fault.Sentence(UsdPrice.Decimals)));
        if (source.Length is 0 or > SourceMax || source.Any(char.IsControl))
            throw new Refused(Refusal.Parameter("source", $"Give 1 to {SourceMax} printable characters."));
        var now = time.GetUtcNow();
        if (at > now)
            throw new Refused(Refusal.Parameter("at", "Give a time that is not in the future."));
        await db.Transaction((tx, token) => tx.SetRate(currency.Code, parsed, at ?? now, source, token), ct, repeatable: true);
        return parsed;
    }

    /// <summary>The refusal of a code that this server does not keep.</summary>
    public static Refusal Unknown() => new(RefusalCode.InvalidCurrency,
        "This server does not keep that currency; GET /currencies/ lists those that it keeps.",
        new Dictionary<string, object> { ["currency"] = new[] { "Unknown currency code." } });
}
