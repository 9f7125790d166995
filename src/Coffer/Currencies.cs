using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace Coffer;

/// <summary>The currencies that this server keeps, fixed while it runs; <see cref="CurrenciesFile"/> reads them.</summary>
public sealed class Currencies
{
    private readonly FrozenDictionary<string, Currency>.AlternateLookup<ReadOnlySpan<char>> byCode;

    /// <summary>Takes the currencies in any order.</summary>
    /// <exception cref="ArgumentException">Two have the same code.</exception>
    public Currencies(IEnumerable<Currency> currencies)
    {
        All = [.. currencies.OrderBy(c => c.Code, StringComparer.Ordinal)];
        var codes = new Dictionary<string, Currency>(StringComparer.OrdinalIgnoreCase);
        foreach (var currency in All)
            codes.Add(currency.Code, currency);
        byCode = codes.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Every currency, in ordinal order of the codes: the order of every list on the wire.</summary>
    public IReadOnlyList<Currency> All { get; }

    /// <summary>Finds a currency by its code in upper, lower or mixed case; ASCII only, nothing is trimmed.</summary>
    public bool TryFind(ReadOnlySpan<char> code, [MaybeNullWhen(false)] out Currency currency) => byCode.TryGetValue(code, out currency);

    /// <summary>The currency with a code that the ledger holds; the server does not start with one that the file lacks.</summary>
    /// <exception cref="KeyNotFoundException">The file lacks it.</exception>
    public Currency Find(string code) =>
        TryFind(code, out var currency) ? currency : throw new KeyNotFoundException($"The currency file has no {code}, which the ledger holds.");
}
