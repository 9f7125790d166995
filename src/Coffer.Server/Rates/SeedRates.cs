using Coffer.Server.Sql;

namespace Coffer.Server.Rates;

/// <summary>
/// Gives each currency that never had a price the one of the currency file. Called once at every start; a price that was set
/// since is never replaced, and a process that dies here does the rest at its next start.
/// </summary>
internal static class SeedRates
{
    private const string Source = "currency file";

    public static Task Run(Db db, Currencies currencies, TimeProvider time, CancellationToken ct) => db.Transaction(async (tx, token) =>
    {
        foreach (var currency in currencies.All)
        {
            if (currency.Price is { } price)
                await tx.SetFirstRate(currency.Code, price, time.GetUtcNow(), Source, token);
        }
    }, ct, repeatable: true);
}
