using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Ledger;

/// <summary>
/// Holds a start against what the database was made and used with: the number of shards, and the currencies with their decimals. Called
/// by every process before it touches the ledger; several at once agree, the rows decide.
/// </summary>
internal static class FixSettings
{
    public const int ShardsMax = 1_024;

    /// <summary>The number of shards.</summary>
    /// <param name="wanted">What the operator asks for; null for whatever the database has.</param>
    /// <exception cref="SetupFailure">The database has another number.</exception>
    public static async Task<int> Shards(Db db, int? wanted, CancellationToken ct)
    {
        var shards = await db.Transaction((tx, token) => tx.FixShards(wanted ?? Settings.ShardsDefault, token), ct, repeatable: true);
        return wanted is null || wanted == shards ? shards : throw new SetupFailure(
            $"This database was made with {shards} shards, which cannot change: leave --shards (COFFER_SHARDS) out or set it to {shards}.");
    }

    /// <summary>Checks that every currency with a balance is still in the file, with the decimals that its amounts have.</summary>
    /// <exception cref="SetupFailure">Names those that are missing or differ.</exception>
    public static Task Currencies(Db db, Currencies currencies, CancellationToken ct) => db.Transaction(async (tx, token) =>
    {
        var known = await tx.KnownCurrencies(token);
        var listed = currencies.All.ToDictionary(c => c.Code, StringComparer.Ordinal);
        string[] odd = [.. known.Where(k => !listed.TryGetValue(k.Key, out var c) || c.Decimals != k.Value).Select(k => k.Key)];
        if (odd.Length > 0 && await tx.UsedCurrencies(odd, token) is { Count: > 0 } used)
            throw new SetupFailure(Sentence(used, known, listed));
        var changed = currencies.All.Where(c => known.GetValueOrDefault(c.Code, -1) != c.Decimals).ToList();
        if (changed.Count > 0)
            await tx.RememberCurrencies(changed, token);
    }, ct, repeatable: true);

    private static string Sentence(List<string> used, Dictionary<string, int> known, Dictionary<string, Currency> listed)
    {
        var missing = used.Where(code => !listed.ContainsKey(code)).ToList();
        var problems = used.Where(listed.ContainsKey).Select(code => $"{code} has {known[code]} decimals, not {listed[code].Decimals}");
        if (missing.Count > 0)
            problems = problems.Prepend($"it does not list {string.Join(", ", missing)}, which customers have balances in");
        return $"The currency file does not fit this database, correct it and start again: {string.Join("; ", problems)}.";
    }
}
