using System.Text.Json;
using System.Text.Json.Serialization;
using Coffer.Server.Host;

namespace Coffer.Server.Rates;

/// <summary>One source of the prices file, with everything that was left out filled in.</summary>
/// <param name="Kind">Which interface it has.</param>
/// <param name="Name">What it is called in answers and messages; of its own in the file.</param>
/// <param name="Url">Without a final slash; empty for a file.</param>
/// <param name="Path">The file of quotes; null for the others.</param>
/// <param name="ApiKey">Sent with each question; null for none.</param>
/// <param name="Every">How often it is asked.</param>
/// <param name="Markets">By the code or the token of a currency.</param>
internal sealed record PriceSourceEntry(SourceKind Kind, string Name, string Url, string? Path, string? ApiKey, TimeSpan Every,
    IReadOnlyDictionary<string, Market> Markets)
{
    /// <summary>What it calls a currency; null when it has no market for it. An entry for the currency's code comes before one for its token.</summary>
    public Market? MarketOf(Currency currency) => Markets.GetValueOrDefault(currency.Code) ?? Markets.GetValueOrDefault(currency.Token);
}

/// <summary>The interfaces that a source may have.</summary>
internal enum SourceKind
{
    CoinGecko,
    Kraken,
    Binance,
    Coinbase,
    File,
}

/// <summary>
/// The operator's prices file: <c>{"sources":[{"kind":"coingecko"},{"kind":"kraken"}]}</c>. Per source <c>kind</c>, and if wanted <c>name</c>,
/// <c>url</c>, <c>path</c> (of a file), <c>api_key</c>, <c>every_seconds</c> and <c>markets</c>, by code or token, each a symbol or
/// <c>{"symbol":"BTCUSDT","quote":"USDT"}</c>. Beside them <c>sources_min</c>, <c>deviation_max_per_mille</c>, <c>quote_age_max_minutes</c>,
/// <c>price_age_max_minutes</c> and <c>history_days</c>. As strict as the other files of the operator, and quotes none of their values.
/// </summary>
internal static class PricesFile
{
    private const int SourcesMax = 10, NameMax = 20, SymbolMax = 64, EveryMax = 3_600, EveryMin = 5, KeyMax = 200;

    private static readonly JsonSerializerOptions _json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        Converters = { new JsonStringEnumConverter<SourceKind>(allowIntegerValues: false), new MarketText() },
    };

    /// <exception cref="SetupFailure">It cannot be read or used; the sentence names the file and everything that is wrong in it.</exception>
    public static PriceRules Read(string file)
    {
        try
        {
            return Parse(File.ReadAllBytes(file));
        }
        catch (SetupFailure fault)
        {
            throw new SetupFailure($"{file}: {fault.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SetupFailure($"The prices file {file} cannot be read: check its name and its rights ({e.Message.TrimEnd('.')}).");
        }
    }

    /// <summary>Reads and checks a whole file.</summary>
    public static PriceRules Parse(ReadOnlySpan<byte> json)
    {
        Whole whole;
        try
        {
            whole = JsonSerializer.Deserialize<Whole>(json, _json) ?? throw Unusable(["it must be a JSON object with a member sources"]);
        }
        catch (JsonException e)
        {
            // The parser's own words quote the file, which may hold a key.
            throw Unusable([$"it is no such JSON as it should be at {e.Path ?? "its beginning"}, line {(e.LineNumber ?? 0) + 1}"]);
        }

        var problems = new List<string>();
        if (whole.Sources is null or { Count: 0 or > SourcesMax })
            problems.Add($"sources must list 1 to {SourcesMax} sources");
        var entries = (whole.Sources ?? []).Select((source, index) => Entry(source, $"source {index + 1}", problems)).ToList();
        foreach (var same in entries.GroupBy(entry => entry.Name).Where(group => group.Count() > 1))
            problems.Add($"the name {same.Key} is given {same.Count()} times");
        int Number(string name, int? given, int missing, int min, int max)
        {
            if (given < min || given > max)
                problems.Add($"{name} must be {min} to {max}");
            return given ?? missing;
        }

        var rules = new PriceRules(entries,
            Number("sources_min", whole.SourcesMin, PriceRules.SourcesMinUsual, 1, SourcesMax),
            Number("deviation_max_per_mille", whole.DeviationMaxPerMille, PriceRules.DeviationUsual, 1, 500),
            TimeSpan.FromMinutes(Number("quote_age_max_minutes", whole.QuoteAgeMaxMinutes, 10, 1, 24 * 60)),
            TimeSpan.FromMinutes(Number("price_age_max_minutes", whole.PriceAgeMaxMinutes, 60, 1, 366 * 24 * 60)),
            Number("history_days", whole.HistoryDays, PriceRules.HistoryDaysUsual, 0, 365));
        return problems.Count == 0 ? rules : throw Unusable(problems);
    }

    private static PriceSourceEntry Entry(Source? given, string label, List<string> problems)
    {
        if (given is null)
            problems.Add($"{label} must be an object");
        var source = given ?? new Source(SourceKind.Kraken, label.Replace(' ', '-'), null, null, null, null, null);
        void Check(bool holds, string what)
        {
            if (!holds)
                problems.Add($"{label}: {what}");
        }

        if (source.Kind is not { } kind)
        {
            Check(false, "kind must be coingecko, kraken, binance, coinbase or file");
            kind = default;
        }

        var (usual, markets) = Usual(kind);
        var url = (source.Url ?? usual).TrimEnd('/');
        var name = source.Name ?? kind.ToString().ToLowerInvariant();
        Check(name.Length is >= 1 and <= NameMax && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'),
            $"name must be 1 to {NameMax} of a-z, 0-9 and -");
        Check(kind == SourceKind.File ? source.Url is null : Uri.TryCreate(url, UriKind.Absolute, out var parsed)
            && parsed.Scheme is "http" or "https" && parsed.Query.Length == 0 && parsed.Fragment.Length == 0 && parsed.UserInfo.Length == 0,
            "url must be a URL such as https://prices.example.com, and a file has none");
        Check(kind == SourceKind.File ? !string.IsNullOrEmpty(source.Path) : source.Path is null, "path is for a file, and it must have one");
        Check(kind != SourceKind.File || source.Markets is { Count: > 0 }, "markets must name what the file has, such as {\"ETH\":\"ETH\"}");
        Check(source.ApiKey is null || (kind == SourceKind.CoinGecko && source.ApiKey.Length is >= 1 and <= KeyMax
            && source.ApiKey.All(c => c is > ' ' and <= '~')), $"api_key is for coingecko, 1 to {KeyMax} printable characters");
        Check(source.EverySeconds is null or (>= EveryMin and <= EveryMax), $"every_seconds must be {EveryMin} to {EveryMax}");
        foreach (var (key, market) in source.Markets ?? [])
        {
            Check(market is not null && IsSymbol(market.Symbol) && (market.Quote is null || (IsSymbol(market.Quote) && market.Quote != key)),
                $"markets must name each a symbol of 1 to {SymbolMax} letters, digits, - and _, and quote another token; {key} does not");
        }

        return new PriceSourceEntry(kind, name, url, source.Path, source.ApiKey, TimeSpan.FromSeconds(source.EverySeconds ?? 60),
            source.Markets ?? markets);
    }

    private static bool IsSymbol(string? text) => text is { Length: >= 1 and <= SymbolMax }
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static (string Url, IReadOnlyDictionary<string, Market> Markets) Usual(SourceKind kind) => kind switch
    {
        SourceKind.CoinGecko => ("https://api.coingecko.com/api/v3", KnownMarkets.CoinGecko),
        SourceKind.Kraken => ("https://api.kraken.com", KnownMarkets.Kraken),
        SourceKind.Binance => ("https://api.binance.com", KnownMarkets.Binance),
        SourceKind.Coinbase => ("https://api.exchange.coinbase.com", KnownMarkets.Coinbase),
        _ => ("", new Dictionary<string, Market>()),
    };

    private static SetupFailure Unusable(IEnumerable<string> problems) =>
        new($"The prices file cannot be used; correct it and start again: {string.Join("; ", problems)}.");

    private sealed record Whole(List<Source?>? Sources, int? SourcesMin, int? DeviationMaxPerMille, int? QuoteAgeMaxMinutes,
        int? PriceAgeMaxMinutes, int? HistoryDays);

    private sealed record Source(SourceKind? Kind, string? Name, string? Url, string? Path, string? ApiKey, int? EverySeconds,
        Dictionary<string, Market>? Markets);

    /// <summary>A market is its symbol alone, or an object.</summary>
    private sealed class MarketText : JsonConverter<Market>
    {
        public override Market? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.String)
                return new Market(reader.GetString()!, null);
            var parts = JsonSerializer.Deserialize<Parts>(ref reader, options);
            return parts is null ? null : new Market(parts.Symbol ?? "", parts.Quote);
        }

        public override void Write(Utf8JsonWriter writer, Market value, JsonSerializerOptions options) =>
            throw new NotSupportedException("The prices file is only read.");

        private sealed record Parts(string? Symbol, string? Quote);
    }
}
