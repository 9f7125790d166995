using System.CommandLine;
using System.Numerics;
using Coffer.Server.Chain;

namespace Coffer.Server.Commands;

/// <summary><c>coffer deposit explain</c>: where is the customer's deposit?</summary>
internal static class DepositCommand
{
    public static Command Make() => new("deposit", "Payments from chains") { Explain() };

    private static Command Explain()
    {
        var command = new Documented("explain", "Say where a payment is, why it is not credited and what to do", """
            Examples:
              coffer deposit explain 0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060
              coffer deposit explain TXID --chain bitcoin --json

            Looks into our own books and asks the nodes of every chain that has such transaction ids, or of the one that is named. A test
            account's chain is called sim:ACCOUNT. Exit status 1 when no payment to one of our addresses was found.
            """);
        var txId = new Argument<string>("TXID") { Description = "The transaction id" };
        var chain = Texts.Option("--chain", "ID", "Only this chain (every one)");
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        command.Arguments.Add(txId);
        command.Options.Add(chain);
        command.Options.Add(json);
        command.SetAction(async (parsed, ct) =>
        {
            var text = parsed.GetValue(txId)!;
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var found = await Find(work, text, parsed.GetValue(chain), ct);
            if (found.Count == 0)
                throw new Misuse($"TXID \"{text}\" is no transaction id of {parsed.GetValue(chain) ?? "a chain that is followed here"}.");
            var transactions = found.Select(transaction => new Transaction(transaction.Chain, transaction.TxId, transaction.Node,
                transaction.Nothing.Status, transaction.Nothing.Message, transaction.Nothing.Operator,
                [.. transaction.Deposits.Select(Of)])).ToList();
            Output.Of(parsed, json).Write(new { transactions }, [.. transactions.SelectMany(Lines)]);
            return transactions.Any(transaction => transaction.Deposits.Count > 0) ? CommandLine.Done : CommandLine.Failed;
        });
        return command;
    }

    private static async Task<List<FoundTransaction>> Find(Workplace work, string text, string? chain, CancellationToken ct)
    {
        // Simulated chains are found by what they paid; asking each of them would make every one.
        List<string> ids = chain is not null ? [chain]
            : [.. work.Chains.Select(entry => entry.Id), .. (await work.Db.ChainsWith(text.ToLowerInvariant(), ct))
                .Where(id => id.StartsWith("sim:", StringComparison.Ordinal))];
        var find = new FindDeposit(work.Db);
        var found = new List<FoundTransaction>();
        foreach (var id in ids)
        {
            var (followed, owner) = ChainCommand.Find(work, id);
            using var _ = owner;
            if (await find.On(followed, text, account: null, ct) is { } transaction)
                found.Add(transaction);
        }

        return found;
    }

    private static Deposit Of(FoundDeposit deposit) => new(deposit.Explained.Status, deposit.Explained.Message, deposit.Explained.Operator,
        deposit.Account.Value, deposit.Wallet.Value, deposit.Address, deposit.Currency?.Code, deposit.Asset, Text(deposit), deposit.Height,
        deposit.Confirmations, deposit.Currency is { Finalized: false } currency ? currency.Confirmations : null);

    private static string Text(FoundDeposit deposit) => deposit.Currency is { } currency && deposit.Amount <= (BigInteger)Amount.Max
        ? Amount.Short((Int128)deposit.Amount, currency.Decimals)
        : $"{deposit.Amount} smallest units";

    private static IEnumerable<string> Lines(Transaction transaction)
    {
        yield return $"{transaction.Chain} {transaction.TxId}"
            + (transaction.Node is { } node ? $", known to {node}" : ", not known to a node that was asked");
        if (transaction.Deposits.Count == 0)
        {
            yield return $"  {transaction.Status}: {transaction.Message}";
            yield return $"    {transaction.WhatToDo}";
        }

        foreach (var deposit in transaction.Deposits)
        {
            yield return $"  {deposit.Amount} {deposit.Currency ?? deposit.Asset} to {deposit.Address} (wallet {deposit.WalletId})";
            yield return $"    {deposit.Status}: {deposit.Message}";
            yield return $"    {deposit.WhatToDo}";
        }
    }

    private sealed record Transaction(string Chain, string TxId, string? Node, string Status, string Message, string WhatToDo,
        IReadOnlyList<Deposit> Deposits);

    private sealed record Deposit(string Status, string Message, string WhatToDo, Guid AccountId, Guid WalletId, string Address,
        string? Currency, string? Asset, string Amount, long? Height, long Confirmations, int? RequiredConfirmations);
}
