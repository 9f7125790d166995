using System.CommandLine;
using System.Globalization;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Wallets;

namespace Coffer.Server.Commands;

/// <summary><c>coffer account create</c>.</summary>
internal static class AccountCommand
{
    public static Command Make() => new("account", "Customers of the operator") { Create() };

    /// <summary>The account that an option names, or a refusal that says so.</summary>
    public static async Task<Account> Find(Workplace work, string id, CancellationToken ct)
    {
        var account = new AccountId(Texts.Uuid(id, "--account"));
        return await work.Db.AccountById(account, ct) ?? throw new SetupFailure(
            $"There is no account {account} here: check the id, and that --data or --database name the right ledger.");
    }

    private static Command Create()
    {
        var command = new Documented("create", "Make an account with its default wallet", """
            Examples:
              coffer account create --name "Acme"
              coffer account create --name "Acme sandbox" --mode test --json

            A test account lives on a simulated chain of its own and can never reach a real one.
            """);
        var name = Texts.Option("--name", "NAME", "What the operator calls it", required: true);
        var mode = Texts.Option("--mode", "live|test", "live (the default) or test").AcceptOnly("live", "test");
        var shard = Texts.Option("--shard", "N", "Its writer lane, from 0 (chosen evenly)");
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        foreach (var option in (Option[])[name, mode, shard, json])
            command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: true, ct);
            var (account, wallet) = await CreateAccount.Run(work.Db, work.Ids, work.Clock, work.Shards, parsed.GetValue(name)!,
                parsed.GetValue(mode) == "test" ? Mode.Test : Mode.Live, Shard(parsed.GetValue(shard), work.Shards), ct);
            var word = account.Mode == Mode.Test ? "test" : "live";
            Output.Of(parsed, json).Write(
                new Created(account.Id.Value, account.Name, word, account.Shard, wallet.Id.Value),
                $"Account {account.Id} ({word}), its default wallet {wallet.Id}.",
                $"Next: coffer key create --account {account.Id} --scopes read,write");
            return CommandLine.Done;
        });
        return command;
    }

    private static short? Shard(string? text, int shards)
    {
        if (text is null)
            return null;
        return short.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var shard) && shard < shards
            ? shard
            : throw new Misuse($"--shard must be a whole number from 0 to {shards - 1}, not \"{text}\".");
    }

    private sealed record Created(Guid AccountId, string Name, string Mode, short Shard, Guid WalletId);
}
