using System.CommandLine;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Commands;

/// <summary><c>coffer limit set|show</c>: what an account may withdraw in place of what the currency file says.</summary>
internal static class LimitCommand
{
    private const string NoneWord = "none";
    private const string FileWord = "file";

    public static Command Make() => new("limit", "Withdrawal limits of single accounts") { Set(), Show() };

    private static Command Set()
    {
        var command = new Documented("set", "Give an account limits of its own", """
            Examples:
              coffer limit set --account ID --currency USDTERC20 --maximum 5000 --day-maximum 20000
              coffer limit set --account ID --currency BTC --approval-above 0.5 --day-maximum none
              coffer limit set --account ID --currency BTC --maximum file --day-maximum file --approval-above file

            Amounts are what arrives, without fees; a day is a UTC day. none: no limit. file: what the currency file says. What is not named
            stays as it is.
            """);
        var account = Texts.Option("--account", "ID", "Whose", required: true);
        var currency = Texts.Option("--currency", "CODE", "Of which currency", required: true);
        var maximum = Texts.Option("--maximum", "AMOUNT|none|file", "The most of one withdrawal");
        var dayMaximum = Texts.Option("--day-maximum", "AMOUNT|none|file", "The most of a day's withdrawals");
        var approvalAbove = Texts.Option("--approval-above", "AMOUNT|none|file", "More than this waits for an approval");
        var name = Operator.Option();
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        foreach (var option in (Option[])[account, currency, maximum, dayMaximum, approvalAbove, name, json])
            command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            var by = Operator.Name(parsed, name);
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var kept = Texts.Currency(work.Currencies, parsed.GetValue(currency)!);
            var owner = await AccountCommand.Find(work, parsed.GetValue(account)!, ct);
            var before = (await work.Db.Limits(owner.Shard, owner.Id, ct)).Find(own => own.Currency == kept.Code)?.Limits;
            var limits = new WithdrawalLimits(
                Amount("--maximum", parsed.GetValue(maximum), kept, before?.Maximum),
                Amount("--day-maximum", parsed.GetValue(dayMaximum), kept, before?.DayMaximum),
                Amount("--approval-above", parsed.GetValue(approvalAbove), kept, before?.ApprovalAbove));
            await new AllowWithdrawals(work.Db, work.Clock).Limit(owner.Shard, owner.Id, kept.Code, limits, by, ct);
            Tell(Output.Of(parsed, json), owner.Id, [Line.Of(kept, limits, null, default)]);
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Show()
    {
        var command = new Documented("show", "Say what an account may withdraw", """
            Example:
              coffer limit show --account ID --currency USDTERC20

            Without --currency: every currency that has a limit, of the account's own or of the currency file.
            """);
        var account = Texts.Option("--account", "ID", "Whose", required: true);
        var currency = Texts.Option("--currency", "CODE", "Of which currency (those with a limit)");
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        foreach (var option in (Option[])[account, currency, json])
            command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var only = parsed.GetValue(currency) is { } code ? Texts.Currency(work.Currencies, code) : null;
            var owner = await AccountCommand.Find(work, parsed.GetValue(account)!, ct);
            var own = (await work.Db.Limits(owner.Shard, owner.Id, ct)).ToDictionary(limit => limit.Currency, limit => limit.Limits);
            var today = DateOnly.FromDateTime(work.Clock.GetUtcNow().UtcDateTime);
            var lines = new List<Line>();
            foreach (var kept in work.Currencies.All.Where(c => only is null ? Limited(c, own) : c == only))
                lines.Add(Line.Of(kept, own.GetValueOrDefault(kept.Code), await work.Db.DayOf(owner.Shard, owner.Id, kept.Code, ct), today));
            Tell(Output.Of(parsed, json), owner.Id, lines);
            return CommandLine.Done;
        });
        return command;
    }

    private static bool Limited(Currency currency, Dictionary<string, WithdrawalLimits> own) => own.ContainsKey(currency.Code)
        || currency.WithdrawalMaximum is not null || currency.WithdrawalDayMaximum is not null || currency.ApprovalAbove is not null;

    private static Int128? Amount(string option, string? text, Currency currency, Int128? before)
    {
        if (text is null)
            return before;
        if (text == FileWord)
            return null;
        if (text == NoneWord)
            return WithdrawalLimits.None;
        return Coffer.Amount.TryParse(text, currency.Decimals, out var amount, out var fault)
            ? amount
            : throw new Misuse($"{option} \"{text}\" is no amount of {currency.Code}, nor none or file: {fault.Sentence(currency.Decimals)}");
    }

    private static void Tell(Output output, AccountId account, List<Line> lines) => output.Write(new Shown(account.Value, lines),
        lines.Count == 0 ? ["Nothing limits this account's withdrawals."] : [.. lines.Select(line => line.Text)]);

    private sealed record Shown(Guid AccountId, IReadOnlyList<Line> Limits);

    /// <summary>What holds, with the account's own in place of the file's; null for no limit.</summary>
    private sealed record Line(string Currency, string? Maximum, string? DayMaximum, string? ApprovalAbove, bool Own, string? UsedToday)
    {
        [System.Text.Json.Serialization.JsonIgnore]
        public string Text => $"{Currency}: at most {Maximum ?? "anything"} at once, {DayMaximum ?? "anything"} a day"
            + (UsedToday is null ? "" : $" ({UsedToday} today)")
            + $", approval {(ApprovalAbove is null ? "not needed" : $"above {ApprovalAbove}")}"
            + (Own ? " (limits of its own)" : " (currency file)");

        public static Line Of(Currency currency, WithdrawalLimits? own, DaySum? sum, DateOnly today)
        {
            var limits = WithdrawalLimits.Of(currency, own);
            return new Line(currency.Code, Units(limits.Maximum), Units(limits.DayMaximum), Units(limits.ApprovalAbove),
                own is { Maximum: not null } or { DayMaximum: not null } or { ApprovalAbove: not null },
                today == default ? null : Units(sum is { } day && day.Day >= today ? day.Amount : 0));

            string? Units(Int128? amount) => amount is { } known ? Coffer.Amount.Short(known, currency.Decimals) : null;
        }
    }
}
