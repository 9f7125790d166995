using System.CommandLine;
using Coffer.Server.Host;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Commands;

/// <summary><c>coffer freeze</c>: stops withdrawals, of one account or of all.</summary>
internal static class FreezeCommand
{
    public static Command Make()
    {
        var command = new Documented("freeze", "Stop withdrawals, of one account or of all, or let them go on", """
            Examples:
              coffer freeze on --reason "keys may be stolen"
              coffer freeze on --account ID --reason "password was lost"
              coffer freeze off --account ID
              coffer freeze status

            Once it has returned, no withdrawal is made and none is begun to be paid; what a node has already goes on. Deposits and transfers
            go on, and a withdrawal that waits can be cancelled. An account that is frozen itself stays so when all are opened again.
            """);
        var word = new Argument<string>("on|off|status") { Description = "What to do" }.AcceptOnlyFromAmong("on", "off", "status");
        var account = Texts.Option("--account", "ID", "Only this account (all)");
        var reason = Texts.Option("--reason", "TEXT", "Why; needed with on, and for the operator only");
        var name = Operator.Option();
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        command.Arguments.Add(word);
        foreach (var option in (Option[])[account, reason, name, json])
            command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            var what = parsed.GetValue(word)!;
            var why = parsed.GetValue(reason) is { } text ? Operator.Line(text, "--reason") : null;
            if (what == "on" && why is null)
                throw new Misuse("Say why with --reason.");
            var by = Operator.Name(parsed, name);
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var owner = parsed.GetValue(account) is { } id ? await AccountCommand.Find(work, id, ct) : null;
            var allow = new AllowWithdrawals(work.Db, work.Clock);
            if (what != "status" && owner is null)
                await allow.FreezeAll(what == "on", why, by, ct);
            else if (what != "status")
                await allow.Freeze(owner!.Shard, owner.Id, what == "on", why, by, ct);
            await Tell(Output.Of(parsed, json), work, owner, ct);
            return CommandLine.Done;
        });
        return command;
    }

    private static async Task Tell(Output output, Workplace work, Auth.Account? owner, CancellationToken ct)
    {
        var all = await work.Db.FrozenAll(ct);
        var own = owner is null ? null : await work.Db.Switches(owner.Shard, owner.Id, ct);
        var lines = new List<string>
        {
            all is { } closed
                ? $"All withdrawals are frozen since {Wire.Time(closed.At)} by {closed.By}: {closed.Reason}"
                : "Withdrawals are not frozen as a whole.",
        };
        if (own is not null)
            lines.Add(own.Frozen ? $"Account {owner!.Id} is frozen since {Wire.Time(own.ChangedAt!.Value)} by {own.ChangedBy}: {own.Reason}"
                : $"Account {owner!.Id} is not frozen.");
        output.Write(new Frozen(all is not null, all?.Reason, all?.By, owner?.Id.Value, own?.Frozen, own is { Frozen: true } ? own.Reason : null,
            own is { Frozen: true } ? own.ChangedBy : null), [.. lines]);
    }

    private sealed record Frozen(bool All, string? AllReason, string? AllBy, Guid? AccountId, bool? Account, string? AccountReason,
        string? AccountBy);
}

/// <summary>Who sits at the command line, for records of who did what.</summary>
internal static class Operator
{
    private const int NameMax = 60;
    private const int LineMax = 500;

    public static Option<string> Option() => Texts.Option("--as", "NAME", "Who you are, for the record (the user of this session)");

    /// <summary><c>operator:NAME</c>.</summary>
    public static string Name(ParseResult parsed, Option<string> option) => $"operator:{Line(parsed.GetValue(option)
        ?? (Environment.UserName is { Length: > 0 and <= NameMax } user ? user : "unknown"), "--as", NameMax)}";

    public static string Line(string text, string option, int max = LineMax) => text.Length > 0 && text.Length <= max && !text.Any(char.IsControl)
        ? text
        : throw new Misuse($"{option} must be one line of 1 to {max} characters.");
}
