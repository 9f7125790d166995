using System.CommandLine;
using System.Globalization;
using System.Numerics;
using Coffer.Server.Chain;
using Coffer.Server.Payouts;

namespace Coffer.Server.Commands;

/// <summary><c>coffer reconcile</c>: what our addresses hold against what the ledger says.</summary>
internal static class ReconcileCommand
{
    /// <summary>The exit status when, say, no node answers: nothing is known to differ, and nothing to be equal.</summary>
    public const int CannotTell = 2;

    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);

    public static Command Make()
    {
        var command = new Documented("reconcile", "Hold what our addresses have on chain against what the ledger says", """
            Examples:
              coffer reconcile --chains /etc/coffer/chains.json
              coffer reconcile --chain bitcoin --height 880000 --json

            Counts, after one named block, what every address holds of every currency of the chain, and compares it with the deposits that
            were followed, those credited and those kept for a reason; then each of these deposits with the ledger. An address that
            holds more was paid without being noticed (see `coffer chain rescan`) or before it was followed; one that holds less was
            emptied by somebody with its key, or credited for nothing. Of a chain with a hot wallet also: whether the transaction of every
            completed withdrawal is on the chain and pays exactly what was asked, whether its coins are there, and whether somebody else
            used its key.
            Exit status 0 all equal, 1 something differs, 2 it cannot be told, e.g. because no node answers.
            """);
        var chain = Texts.Option("--chain", "ID", "Only this chain, e.g. sim:ACCOUNT (every one of the chains file)");
        var height = Texts.Option("--height", "HEIGHT", "The block after which to count (the last that was followed)");
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        foreach (var option in (Option[])[chain, height, json])
            command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            var at = Height(parsed.GetValue(height));
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var chains = new List<ReconciledChain>();
            var wallets = new List<(string Chain, ReconciledHot Found)>();
            foreach (var id in Chosen(work, parsed.GetValue(chain), at))
            {
                var (followed, owner) = ChainCommand.Find(work, id);
                using var _ = owner;
                chains.Add(await new Reconcile(work.Db, work.Clock, _pause).Run(followed, at, ct));
                foreach (var wallet in owner is RealChains real ? HotWallets.Of(real.All, work.Db) : [])
                    wallets.Add((id, await new ReconcileHot(work.Db).Run(wallet, ct)));
            }

            var told = chains.Select(one => one.Equal).Concat(wallets.Select(one => one.Found.Equal)).ToList();
            var differ = told.Any(one => one is false);
            var equal = told.All(one => one is true);
            var all = new
            {
                equal = differ ? false : equal ? true : (bool?)null,
                chains = chains.Select(Json).ToList(),
                hot_wallets = wallets.Select(one => HotWalletLines.Json(one.Chain, one.Found)).ToList(),
            };
            Output.Of(parsed, json).Write(
                all, [.. chains.SelectMany(Lines), .. wallets.SelectMany(one => HotWalletLines.Of(one.Chain, one.Found))]);
            return differ ? CommandLine.Failed : equal ? CommandLine.Done : CannotTell;
        });
        return command;
    }

    private static long? Height(string? text) => text is null ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var height) ? height
        : throw new Misuse($"--height must be the height of a block, not \"{text}\".");

    private static List<string> Chosen(Workplace work, string? chain, long? height)
    {
        if (chain is not null)
            return [chain];
        if (work.Chains.Count == 0)
            throw new Misuse("There is no chains file: name it with --chains (COFFER_CHAINS), or a chain with --chain.");
        if (height is not null && work.Chains.Count > 1)
            throw new Misuse("A height is one of a certain chain: name it with --chain.");
        return [.. work.Chains.Select(entry => entry.Id)];
    }

    private static IEnumerable<string> Lines(ReconciledChain chain)
    {
        yield return chain.Height is { } height ? $"{chain.Chain}, after block {height} {chain.BlockHash}" : chain.Chain;
        if (chain.Why is { } why)
            yield return $"  CANNOT TELL: {why}.";
        if (chain.Currencies.Count > 0)
            yield return $"  {"currency",-12}{"addresses",10}{"on chain",28}{"credited",28}{"kept",20}{"difference",28}";
        foreach (var currency in chain.Currencies)
        {
            string Text(BigInteger amount) => ReconcileCommand.Text(amount, currency.Currency);
            yield return $"  {currency.Currency.Code,-12}{currency.Addresses,10}{Text(currency.OnChain),28}{Text(currency.Credited),28}"
                + $"{Text(currency.Kept),20}{Text(currency.Difference),28}";
            foreach (var address in currency.Different)
            {
                yield return $"    {address.Address.Address} (wallet {address.Address.Wallet}) holds {Text(address.OnChain)}: "
                    + $"{Text(BigInteger.Abs(address.Difference))} {(address.Difference > 0 ? "MORE" : "LESS")} than the books say";
                foreach (var deposit in address.Deposits)
                    yield return $"      {deposit.TxId} {deposit.Kind} {deposit.Ordinal}, block {deposit.Height}: {Text(deposit.Amount)}"
                        + (deposit.Reason is { } reason ? $", not credited: {reason}" : "");
            }

            if (currency.Differences > currency.Different.Count)
                yield return $"    and {currency.Differences - currency.Different.Count} more addresses";
        }

        foreach (var deposit in chain.Ledger)
            yield return $"  {deposit.Reference}{(deposit.Address is { } address ? $" to {address}" : "")}: {deposit.Problem}";
        if (chain.LedgerDifferences > chain.Ledger.Count)
            yield return $"  and {chain.LedgerDifferences - chain.Ledger.Count} more deposits";
        if (chain.Equal is true)
            yield return "  All equal.";
    }

    private static string Text(BigInteger amount, Currency currency) => BigInteger.Abs(amount) <= (BigInteger)Amount.Max
        ? Amount.Short((Int128)amount, currency.Decimals)
        : $"{amount} smallest units";

    private static object Json(ReconciledChain chain) => new
    {
        chain.Chain,
        chain.Equal,
        chain.Height,
        chain.BlockHash,
        cannot_tell = chain.Why,
        currencies = chain.Currencies.Select(currency => new
        {
            currency = currency.Currency.Code,
            currency.Addresses,
            on_chain = Text(currency.OnChain, currency.Currency),
            credited = Text(currency.Credited, currency.Currency),
            kept = Text(currency.Kept, currency.Currency),
            difference = Text(currency.Difference, currency.Currency),
            currency.Differences,
            different = currency.Different.Select(address => new
            {
                address.Address.Address,
                account_id = address.Address.Account.Value,
                wallet_id = address.Address.Wallet.Value,
                on_chain = Text(address.OnChain, currency.Currency),
                credited = Text(address.Credited, currency.Currency),
                kept = Text(address.Kept, currency.Currency),
                difference = Text(address.Difference, currency.Currency),
                deposits = address.Deposits.Select(deposit => new
                {
                    txid = deposit.TxId,
                    kind = Coffer.Chains.TransferKinds.Word(deposit.Kind),
                    deposit.Ordinal,
                    deposit.Height,
                    amount = Text(deposit.Amount, currency.Currency),
                    not_credited_because = deposit.Reason,
                }).ToList(),
            }).ToList(),
        }).ToList(),
        ledger_differences = chain.LedgerDifferences,
        ledger = chain.Ledger,
    };
}
