using System.CommandLine;
using Coffer.Server.Auth;
using Coffer.Server.Host;

namespace Coffer.Server.Commands;

/// <summary><c>coffer user create</c>, <c>coffer user reset</c>, <c>coffer user disable</c>, <c>coffer user enable</c>.</summary>
internal static class UserCommand
{
    private static readonly Dictionary<string, Role> _roles =
        new() { ["viewer"] = Role.Viewer, ["owner"] = Role.Owner, ["operator"] = Role.Operator };

    public static Command Make() => new("user", "People who sign in to the dashboard")
    {
        Create(), Reset(),
        Change("disable", "Let a user sign in no more; his sessions end at once", on: false),
        Change("enable", "Let a disabled user sign in again", on: true),
    };

    private static Command Create()
    {
        var command = new Documented("create", "Make a user of an account; a password that is made for him is shown once", $"""
            Examples:
              coffer user create alice@example.com --account ID --role owner
              coffer user create bob --account ID --role viewer --password-file bob.txt

            A viewer sees the account, an owner moves its money too, an operator also decides about withdrawals and sees how this server
            stands. Passwords have {PasswordHash.LengthMin} to {PasswordHash.LengthMax} characters; an authenticator app is added on the page of one's own name.
            """);
        var name = new Argument<string>("NAME") { Description = "What he types to sign in" };
        var account = Texts.Option("--account", "ID", "Whose dashboard", required: true);
        var role = Texts.Option("--role", "viewer|owner|operator", "What he may do", required: true).AcceptOnly([.. _roles.Keys]);
        var file = PasswordFile();
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        command.Arguments.Add(name);
        foreach (var option in (Option[])[account, role, file, json])
            command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            var called = User.Normal(parsed.GetValue(name)!);
            if (!User.IsName(called))
                throw new Misuse($"A name has 1 to {User.NameMax} printable characters.");
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var owner = await AccountCommand.Find(work, parsed.GetValue(account)!, ct);
            var password = Password(parsed.GetValue(file), called, work.Random);
            var user = new User(work.Ids.New(), called, owner.Id, owner.Shard, owner.Mode, _roles[parsed.GetValue(role)!],
                PasswordHash.Of(password, work.Random), null, 0, work.Clock.GetUtcNow(), null);
            if (!await work.Db.Transaction((tx, token) => tx.Insert(user, token), ct))
                throw new SetupFailure($"There is a user {called} already: choose another name, or use `coffer user reset {called}`.");
            var made = parsed.GetValue(file) is null ? password : null;
            Output.Of(parsed, json).Write(new Created(user.Id, called, owner.Id.Value, parsed.GetValue(role)!, made),
                [$"User {called} ({parsed.GetValue(role)}) of account {owner.Id}.", .. made is null ? (string[])[] : ["Password, shown only now:", made]]);
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Reset()
    {
        var command = new Documented("reset", "Give a user a new password and take his authenticator away; his sessions end at once", """
            Examples:
              coffer user reset alice@example.com
              coffer user reset alice@example.com --keep-authenticator
            """);
        var name = new Argument<string>("NAME") { Description = "Who" };
        var keep = new Option<bool>("--keep-authenticator") { Description = "Leave his authenticator as it is" };
        var file = PasswordFile();
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        command.Arguments.Add(name);
        foreach (var option in (Option[])[keep, file, json])
            command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var user = await Find(work, parsed.GetValue(name)!, ct);
            var password = Password(parsed.GetValue(file), user.Name, work.Random);
            var hash = PasswordHash.Of(password, work.Random);
            await work.Db.Transaction(async (tx, token) =>
            {
                await tx.SetPassword(user.Id, hash, token);
                if (!parsed.GetValue(keep))
                    await tx.SetTotp(user.Id, null, 0, token);
                await tx.EndSessionsOf(user.Id, null, work.Clock.GetUtcNow(), token);
            }, ct, repeatable: true);
            var made = parsed.GetValue(file) is null ? password : null;
            Output.Of(parsed, json).Write(new Renewed(user.Name, made),
                [$"User {user.Name} has a new password.", .. made is null ? (string[])[] : ["It is shown only now:", made]]);
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Change(string word, string about, bool on)
    {
        var command = new Documented(word, about, $"""
            Example:
              coffer user {word} alice@example.com
            """);
        var name = new Argument<string>("NAME") { Description = "Who" };
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        command.Arguments.Add(name);
        command.Options.Add(json);
        command.SetAction(async (parsed, ct) =>
        {
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var user = await Find(work, parsed.GetValue(name)!, ct);
            var now = work.Clock.GetUtcNow();
            await work.Db.Transaction(async (tx, token) =>
            {
                await tx.SetDisabled(user.Id, on ? null : now, token);
                if (!on)
                    await tx.EndSessionsOf(user.Id, null, now, token);
            }, ct, repeatable: true);
            Output.Of(parsed, json).Write(new Changed(user.Name, on), $"User {user.Name} is {(on ? "enabled" : "disabled")}.");
            return CommandLine.Done;
        });
        return command;
    }

    private static Option<string> PasswordFile() =>
        Texts.Option("--password-file", "FILE", "A file of your own with the password in it (one is made and shown)");

    private static async Task<User> Find(Workplace work, string name, CancellationToken ct) => await work.Db.UserByName(name, ct)
        ?? throw new SetupFailure($"There is no user {User.Normal(name)} here: check the name, and that --data or --database name the right ledger.");

    private static string Password(string? file, string user, RandomBytes random)
    {
        if (file is null)
            return PasswordHash.New(random);
        using var read = Secrets.ReadText(file, "password file");
        var password = System.Text.Encoding.UTF8.GetString(read.Span);
        return PasswordHash.Fault(password, user) is { } fault ? throw new SetupFailure($"{fault} It is in {file}.") : password;
    }

    private sealed record Created(Guid Id, string Name, Guid AccountId, string Role, string? Password);

    private sealed record Renewed(string Name, string? Password);

    private sealed record Changed(string Name, bool Enabled);
}
