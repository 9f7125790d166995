using System.Text.Json;

namespace Coffer.Server.Rates;

/// <summary>
/// A file of the operator's: <c>{"prices":{"ETH":"2345.258"},"at":"2026-01-31T12:00:00Z"}</c>, named as the markets of its entry are. Without
/// <c>at</c> its prices are as old as the file. Read anew each time, so another program may write it; it should replace it as a whole.
/// </summary>
internal sealed class QuoteFile(PriceSourceEntry entry) : PriceSource(entry)
{
    private const int BytesMax = 1024 * 1024;

    private readonly string _path = entry.Path!;

    public override async Task<List<Ticker>> Ask(IReadOnlyList<string> symbols, DateTimeOffset now, CancellationToken ct)
    {
        JsonElement said;
        DateTimeOffset written;
        try
        {
            if (new FileInfo(_path).Length > BytesMax)
                throw new PriceFault($"{Name}: {_path} is longer than {BytesMax} bytes.");
            written = File.GetLastWriteTimeUtc(_path);
            said = JsonElement.Parse(await File.ReadAllBytesAsync(_path, ct));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new PriceFault($"{Name}: {_path} cannot be read: {fault.Message}", cause: fault);
        }

        return Read(said, all =>
        {
            var at = all.TryGetProperty("at", out var time) ? time.GetDateTimeOffset() : written;
            return (from price in all.GetProperty("prices").EnumerateObject()
                    let known = Price(price.Value)
                    where known is not null
                    select new Ticker(price.Name, known.Value, at)).ToList();
        });
    }

    /// <summary>It knows only the present.</summary>
    public override Task<List<HourClose>> Hours(string symbol, DateTimeOffset from, DateTimeOffset to, CancellationToken ct) =>
        Task.FromResult<List<HourClose>>([]);
}
