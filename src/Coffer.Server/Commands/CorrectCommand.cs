using System.CommandLine;
using Coffer.Ledger;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Command = System.CommandLine.Command;

namespace Coffer.Server.Commands;

/// <summary>
/// <c>coffer correct</c>: the operator's hand in the ledger. A new movement, never a changed one, through a writer of this process.
/// </summary>
internal static class CorrectCommand
{
    private const int ReasonMax = 1_000;
    private const int ReferenceMax = 200;

    public static Command Make()
    {
        var command = new Documented("correct", "Add to or take from a balance, visible to the customer as a correction", """
            Examples:
              coffer correct --account ID --wallet ID --currency USDTERC20 --amount 12.50 --reason "credit for ticket 4711"
              coffer correct --account ID --wallet ID --currency BTC --amount=-0.05 --reason "sent twice" --reference ticket-4712

            Counts as a deposit (above zero) or a withdrawal (below zero). With a --reference it happens once, however often it is run.
            """);
        var account = Texts.Option("--account", "ID", "Whose balance", required: true);
        var wallet = Texts.Option("--wallet", "ID", "The wallet", required: true);
        var currency = Texts.Option("--currency", "CODE", "The currency", required: true);
        var amount = Texts.Option("--amount", "AMOUNT", "Decimal, with a minus to take away", required: true);
        var reason = Texts.Option("--reason", "TEXT", "Why; the customer sees it", required: true);
        var reference = Texts.Option("--reference", "TEXT", "Makes it happen once (a new one each time)");
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        foreach (var option in (Option[])[account, wallet, currency, amount, reason, reference, json])
            command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            var why = Line(parsed.GetValue(reason)!, "--reason", ReasonMax);
            var key = parsed.GetValue(reference) is { } given ? Line(given, "--reference", ReferenceMax) : null;
            var to = new WalletId(Texts.Uuid(parsed.GetValue(wallet)!, "--wallet"));
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var kept = Texts.Currency(work.Currencies, parsed.GetValue(currency)!);
            var units = Texts.SignedAmount(parsed.GetValue(amount)!, kept);
            var owner = await AccountCommand.Find(work, parsed.GetValue(account)!, ct);
            if ((await work.Db.WalletsNotOf(owner.Id, owner.Shard, [to.Value], ct)).Count > 0)
                throw new SetupFailure($"The account has no wallet {to}: check the id.");
            await using var writer = new LedgerWriter(owner.Shard, work.Db, work.Ids, work.Clock, remembered: 0, LedgerGuests.All(work.Clock));
            var outcome = await writer.Write(new Correct(owner.Id, to, kept, Reference.Of($"correction:{key ?? work.Ids.New().ToString()}"),
                units, null, why));
            if (outcome.Refusal is { } refusal)
                throw new SetupFailure(Sentence(refusal));
            Write(Output.Of(parsed, json), outcome.Accepted(), kept, outcome.Replayed);
            return CommandLine.Done;
        });
        return command;
    }

    private static void Write(Output output, Movement movement, Currency currency, bool replayed) => output.Write(
        new Corrected(movement.Id.Value, movement.Account.Value, movement.Wallet.Value, currency.Code,
            Amount.Fixed(movement.Amount, currency.Decimals), movement.Reference.Text, movement.EffectiveAt, replayed),
        replayed
            ? $"Nothing was changed: {movement.Reference.Text} was booked before, as movement {movement.Id}."
            : $"Booked {Amount.Short(movement.Amount, currency.Decimals)} {currency.Code} as movement {movement.Id}.");

    private static string Sentence(Refusal refusal) => refusal.Code == RefusalCode.InsufficientBalance && refusal.Details is { } details
        ? $"Nothing was booked: the wallet has {details["available"]} {details["currency"]} available, "
          + $"{details["required"]} would be taken."
        : refusal.Message;

    private static string Line(string text, string option, int max) => text.Length > 0 && text.Length <= max && !text.Any(char.IsControl)
        ? text
        : throw new Misuse($"{option} must be one line of 1 to {max} characters.");

    private sealed record Corrected(Guid MovementId, Guid AccountId, Guid WalletId, string Currency, string Amount, string Reference,
        DateTimeOffset EffectiveAt, bool Replayed);
}
