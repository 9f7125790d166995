using Coffer.Server.Payouts;

namespace Coffer.Server.Commands;

/// <summary>What <c>coffer reconcile</c> says of a hot wallet.</summary>
internal static class HotWalletLines
{
    public static IEnumerable<string> Of(string chain, ReconciledHot found)
    {
        yield return $"The hot wallet of {chain}: {found.Withdrawals} completed withdrawals, {found.Coins} coins";
        if (found.Why is { } why)
            yield return $"  CANNOT TELL: {why}.";
        foreach (var difference in found.Differences)
            yield return $"  {char.ToUpperInvariant(difference[0])}{difference[1..]}.";
        if (found.Count > found.Differences.Count)
            yield return $"  and {found.Count - found.Differences.Count} more";
        if (found.Equal is true)
            yield return "  All equal.";
    }

    public static object Json(string chain, ReconciledHot found) => new
    {
        chain,
        found.Equal,
        cannot_tell = found.Why,
        found.Withdrawals,
        found.Coins,
        differences = found.Count,
        named = found.Differences,
    };
}
