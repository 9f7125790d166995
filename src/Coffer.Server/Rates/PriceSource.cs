using System.Text.Json;

namespace Coffer.Server.Rates;

/// <summary>A market of a source.</summary>
/// <param name="Symbol">What the source calls it.</param>
/// <param name="Quote">The token its prices are counted in, as the currency file names it; null for US dollars.</param>
internal sealed record Market(string Symbol, string? Quote);

/// <summary>What a source says of one of its markets.</summary>
internal sealed record Ticker(string Symbol, UsdPrice Price, DateTimeOffset At);

/// <summary>The price that an hour closed with.</summary>
internal sealed record HourClose(DateTimeOffset Hour, UsdPrice Price);

/// <summary>A source gave no answer that can be used; the message says why, without any key.</summary>
internal sealed class PriceFault(string message, TimeSpan? retryAfter = null, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>Nothing is wrong but one of the markets that were asked for, which the source does not have.</summary>
    public bool IsUnknownMarket { get; init; }

    /// <summary>How long the source wants to be left alone.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}

/// <summary>
/// One place that says prices. Asked by <see cref="FetchRates"/> and <see cref="BackFillRates"/>; what it does not know is left out of its
/// answers, never made up: an unknown market has no price.
/// </summary>
internal abstract class PriceSource(PriceSourceEntry entry)
{
    private static readonly TimeSpan _unknownFor = TimeSpan.FromHours(1);

    private readonly Dictionary<string, DateTimeOffset> _unknown = [];

    public string Name => entry.Name;

    /// <summary>How often it is asked.</summary>
    public TimeSpan Every => entry.Every;

    /// <summary>The pause between two questions about past hours; sources count questions.</summary>
    public virtual TimeSpan Spacing => TimeSpan.FromSeconds(1);

    /// <inheritdoc cref="PriceSourceEntry.MarketOf"/>
    public Market? MarketOf(Currency currency) => entry.MarketOf(currency);

    /// <summary>The prices now; markets that it does not know are left out.</summary>
    /// <exception cref="PriceFault">There is no usable answer.</exception>
    public abstract Task<List<Ticker>> Ask(IReadOnlyList<string> symbols, DateTimeOffset now, CancellationToken ct);

    /// <summary>The prices that past hours closed with, in any order; hours that it does not know are left out, others may be among them.</summary>
    /// <param name="symbol">The market.</param>
    /// <param name="from">The beginning of the first hour.</param>
    /// <param name="to">The end of the last one.</param>
    /// <param name="ct">Ends it.</param>
    /// <exception cref="PriceFault">There is no usable answer.</exception>
    public abstract Task<List<HourClose>> Hours(string symbol, DateTimeOffset from, DateTimeOffset to, CancellationToken ct);

    /// <summary>
    /// For sources that refuse the whole question because of one market that they do not have, or have no more: finds it by halves and leaves
    /// it out for an hour, so that it costs the others nothing.
    /// </summary>
    protected async Task<List<Ticker>> AskKnown(
        IReadOnlyList<string> symbols, DateTimeOffset now, Func<IReadOnlyList<string>, Task<List<Ticker>>> ask)
    {
        var known = symbols.Where(symbol => !(_unknown.TryGetValue(symbol, out var since) && now - since < _unknownFor)).ToList();
        return known.Count == 0 ? [] : await Halves(known);

        async Task<List<Ticker>> Halves(IReadOnlyList<string> some)
        {
            try
            {
                return await ask(some);
            }
            catch (PriceFault fault) when (fault.IsUnknownMarket)
            {
                if (some is [var only])
                {
                    _unknown[only] = now;
                    return [];
                }

                return [.. await Halves([.. some.Take(some.Count / 2)]), .. await Halves([.. some.Skip(some.Count / 2)])];
            }
        }
    }

    /// <summary>
    /// The price of an order book: the last trade, moved into what is bid and asked now, since that trade may be old. Null when the book is
    /// crossed or empty: then the market does not work.
    /// </summary>
    protected static UsdPrice? InBook(JsonElement last, JsonElement bid, JsonElement ask)
    {
        if (Price(last) is not { } price || Price(bid) is not { } low || Price(ask) is not { } high || low.Scaled > high.Scaled)
            return null;
        return new UsdPrice(Int128.Clamp(price.Scaled, low.Scaled, high.Scaled));
    }

    /// <summary>A price written as text or as a number; null when it is none, or zero.</summary>
    protected static UsdPrice? Price(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String when UsdPrice.TryRound(value.GetString(), out var price) && price.Scaled > 0 => price,
        JsonValueKind.Number when UsdPrice.TryRound(value.GetRawText(), out var price) && price.Scaled > 0 => price,
        _ => null,
    };

    /// <summary>The beginning of the hour that a time is in.</summary>
    protected static DateTimeOffset HourOf(DateTimeOffset at) => new(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero);

    /// <summary>Reads an answer by its known shape; any other shape is a fault of the source.</summary>
    protected T Read<T>(JsonElement answer, Func<JsonElement, T> read)
    {
        try
        {
            return read(answer);
        }
        catch (Exception odd) when (odd is InvalidOperationException or KeyNotFoundException or FormatException or IndexOutOfRangeException
            or ArgumentException or OverflowException)
        {
            throw new PriceFault($"{Name} answers in a form that is not known.", cause: odd);
        }
    }
}
