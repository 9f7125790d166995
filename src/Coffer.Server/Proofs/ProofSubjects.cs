using System.Globalization;
using Coffer.Server.Chain;
using Coffer.Server.Ledger;
using Coffer.Server.Payouts;
using Coffer.Server.Sql;

namespace Coffer.Server.Proofs;

/// <summary>What a server can prove: its ledger, and of every real chain the deposits and the hot wallet, as the command line does.</summary>
internal static class ProofSubjects
{
    public const string Ledger = "ledger";

    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);

    public static IReadOnlyList<ProofSubject> Of(
        Db db, TimeProvider time, IEnumerable<FollowedChain> chains, IEnumerable<HotWallet> wallets) =>
    [
        new(Ledger, async ct => Told(await Verify.Run(db, time, ct))),
        .. chains.Select(chain => new ProofSubject($"chain:{chain.Chain.Id}",
            async ct => Told(await new Reconcile(db, time, _pause).Run(chain, null, ct)))),
        .. wallets.Select(wallet => new ProofSubject($"hot_wallet:{wallet.Chain.Id}",
            async ct => Told(await new ReconcileHot(db).Run(wallet, ct)))),
    ];

    private static Proven Told(VerifyReport report) => new(report.Clean ? ProofResult.Holds : ProofResult.Wrong,
        $"{Count(report.Postings)} postings, {Count(report.Movements)} movements, {Count(report.Balances)} balances and "
        + $"{Count(report.FlowHours)} hours read.", report.BadRows,
        [.. report.Findings.Select(finding => $"{finding.Table} {finding.Key}: {finding.Problem}")]);

    private static Proven Told(ReconciledChain chain)
    {
        var addresses = chain.Currencies.Select(currency => currency.Addresses).DefaultIfEmpty().Max();
        var different = chain.Currencies.SelectMany(currency => currency.Different.Select(address => $"{address.Address.Address} holds "
            + $"{(address.Difference > 0 ? "more" : "less")} {currency.Currency.Code} than the books say: {address.Difference} smallest units."));
        return new Proven(ResultOf(chain.Equal),
            chain.Why is { } why ? $"It cannot be told: {why}." : $"{Count(addresses)} addresses after block {chain.Height}.",
            chain.Currencies.Sum(currency => currency.Differences) + chain.LedgerDifferences,
            [.. different, .. chain.Ledger.Select(deposit => $"{deposit.Reference}: {deposit.Problem}.")]);
    }

    private static Proven Told(ReconciledHot wallet) => new(ResultOf(wallet.Equal),
        wallet.Why is { } why ? $"It cannot be told: {why}."
            : $"{Count(wallet.Withdrawals)} completed withdrawals{(wallet.Coins > 0 ? $" and {Count(wallet.Coins)} coins" : "")} looked up.",
        wallet.Count, wallet.Differences);

    private static ProofResult ResultOf(bool? equal) => equal switch
    {
        true => ProofResult.Holds,
        false => ProofResult.Wrong,
        null => ProofResult.CannotTell,
    };

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
