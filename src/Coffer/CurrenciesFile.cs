using System.Text.Json;

namespace Coffer;

/// <summary>
/// Reads the operator's currency file: a JSON array, one object per currency, members as in <see cref="Currency"/> in snake_case.
/// Amounts and prices are decimal strings in whole units. Strict, because a wrong figure here is somebody's money: unknown or repeated
/// members, wrong kinds and ranges are refused, and all of them at once, so that a file is corrected in one go. What may be left out:
/// <c>contract</c> (the network's own coin), each minimum and fee (zero), each maximum and <c>approval_above</c> (none),
/// <c>network_fee_bearer</c> (<c>house</c>), <c>price_age_max_minutes</c> (a price stays good until the next one, which is what an operator
/// who sets prices by hand needs), <c>price</c> (unknown until one is set). <c>network_fee</c> is an amount, or <c>"estimate"</c> for what
/// the chain asks, up to <c>network_fee_max</c>; then <c>network_fee_fallback</c> is charged while no estimate is known. <c>confirmations</c> is a number
/// of blocks, or <c>"finalized"</c> for what the chain itself calls final; on a chain that calls nothing so, that is
/// <see cref="Currency.ConfirmationsWithoutFinality"/> blocks.
/// </summary>
public static class CurrenciesFile
{
    /// <summary>The most currencies that a file may list.</summary>
    public const int CountMax = 1000;

    /// <summary>Reads and checks a whole file.</summary>
    /// <param name="json">UTF-8, with or without a byte order mark.</param>
    /// <exception cref="CurrenciesFault">Names every problem.</exception>
    public static Currencies Parse(ReadOnlySpan<byte> json)
    {
        ReadOnlySpan<byte> mark = [0xEF, 0xBB, 0xBF];
        if (json.StartsWith(mark))
            json = json[mark.Length..];
        try
        {
            using var document = JsonDocument.Parse(json.ToArray());
            return Read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new CurrenciesFault([$"it is not valid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}"]);
        }
    }

    /// <summary>The same from text.</summary>
    /// <exception cref="CurrenciesFault">Names every problem.</exception>
    public static Currencies Parse(string json) => Parse(System.Text.Encoding.UTF8.GetBytes(json));

    private static Currencies Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Array)
            throw new CurrenciesFault(["it must be a JSON array of currencies"]);
        if (root.GetArrayLength() is 0 or > CountMax)
            throw new CurrenciesFault([$"it must list 1 to {CountMax} currencies"]);
        var problems = new List<string>();
        var currencies = new List<Currency>();
        var number = 0;
        foreach (var element in root.EnumerateArray())
        {
            if (CurrencyEntry.Read(element, ++number, problems) is { } currency)
                currencies.Add(currency);
        }
        problems.AddRange(Clashes(currencies));
        return problems.Count == 0 ? new Currencies(currencies) : throw new CurrenciesFault(problems);
    }

    /// <summary>Two lines for one code, or for one asset: a deposit would have two owners.</summary>
    private static IEnumerable<string> Clashes(List<Currency> currencies)
    {
        foreach (var same in currencies.GroupBy(c => c.Code).Where(g => g.Count() > 1))
            yield return $"{same.Key} is listed {same.Count()} times";
        foreach (var same in currencies.DistinctBy(c => c.Code).GroupBy(Asset).Where(g => g.Count() > 1))
        {
            var what = same.Key.Contract is null ? $"{same.Key.Network}'s own coin" : $"the contract {same.First().Contract}";
            yield return $"{string.Join(" and ", same.Select(c => c.Code))} are both {what} (network {same.Key.Network}, member contract)";
        }
        foreach (var token in currencies.Where(c => c.Contract is not null && c.NetworkFeeEstimate is not null))
        {
            if (!currencies.Any(c => c.Network == token.Network && c.Contract is null))
                yield return $"{token.Code}: network_fee cannot be estimated without the own coin of the network {token.Network} in the file, "
                    + "whose price the estimate is converted with";
        }
    }

    // Hexadecimal addresses have no case of their own; Tron's do.
    private static (string Network, string? Contract) Asset(Currency c) =>
        (c.Network, c.Contract?.StartsWith("0x", StringComparison.OrdinalIgnoreCase) == true ? c.Contract.ToLowerInvariant() : c.Contract);
}
