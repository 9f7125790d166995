using System.CommandLine;
using Coffer.Server.Auth;
using Coffer.Server.Host;

namespace Coffer.Server.Commands;

/// <summary><c>coffer key create</c> and <c>coffer key revoke</c>.</summary>
internal static class KeyCommand
{
    private const string NameMissing = "command line";

    public static Command Make() => new("key", "API keys") { Create(), Revoke() };

    /// <summary>The scopes in a list with commas.</summary>
    public static Scopes Scopes(string text)
    {
        var scopes = Coffer.Scopes.None;
        foreach (var word in text.Split(',', StringSplitOptions.TrimEntries))
            scopes |= Credentials.Scope(word) ?? throw new Misuse($"--scopes must be read, write or read,write, not \"{text}\".");
        return scopes;
    }

    /// <summary>The same with <c>approve</c>, which an API key may hold and nobody but the operator may give.</summary>
    private static Scopes KeyScopes(string text)
    {
        var words = text.Split(',', StringSplitOptions.TrimEntries);
        var rest = words.Where(word => word != Credentials.ApproveScope).ToList();
        if (rest.Count == words.Length)
            return Scopes(text);
        return Coffer.Scopes.Approve | (rest.Count == 0 ? Coffer.Scopes.None : Scopes(string.Join(',', rest)));
    }

    private static Command Create()
    {
        var command = new Documented("create", "Make an API key; it is shown once", """
            Examples:
              coffer key create --account ID --scopes read,write
              coffer key create --account ID --scopes read --wallet WALLET --address 203.0.113.0/24 --expires 2030-01-01T00:00:00Z
              coffer key create --account ID --scopes read,approve --name "second pair of eyes"

            With approve it decides about withdrawals that wait for an approval; nobody but the operator can give that.

            Send it as X-API-Key. The database keeps its hash only: what is not written down now cannot be shown again.
            """);
        var account = Texts.Option("--account", "ID", "Whose key", required: true);
        var scopes = Texts.Option("--scopes", "read,write,approve", "What it may do", required: true);
        var name = Texts.Option("--name", "NAME", $"What its owner calls it ({NameMissing})");
        var wallets = Texts.Many("--wallet", "ID", "Limit it to this wallet; may be repeated");
        var addresses = Texts.Many("--address", "CIDR", "Limit it to callers from here; may be repeated");
        var expires = Texts.Option("--expires", "TIME", "When it ends (never)");
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        foreach (var option in (Option[])[account, scopes, name, wallets, addresses, expires, json])
            command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            var wanted = KeyScopes(parsed.GetValue(scopes)!);
            var until = Texts.Time(parsed.GetValue(expires), "--expires");
            Guid[] limit = [.. (parsed.GetValue(wallets) ?? []).Select(id => Texts.Uuid(id, "--wallet"))];
            string[] from = [.. (parsed.GetValue(addresses) ?? []).Select(address => ClientAddress.Normal(address)
                ?? throw new Misuse($"--address must be an IP address or a block such as 203.0.113.0/24, not \"{address}\"."))];
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            if (until <= work.Clock.GetUtcNow())
                throw new Misuse("--expires lies in the past; give a later time.");
            var owner = await AccountCommand.Find(work, parsed.GetValue(account)!, ct);
            if (limit.Length > 0 && await work.Db.WalletsNotOf(owner.Id, owner.Shard, limit, ct) is [var stranger, ..])
                throw new SetupFailure($"The account has no wallet {stranger}: check the id.");
            var issue = new IssueCredential(work.Db, work.Ids, work.Random, work.Clock);
            var (secret, key) = await issue.ApiKey(owner, parsed.GetValue(name) ?? NameMissing, wanted,
                limit.Length == 0 ? null : limit, from.Length == 0 ? null : from, until, ct);
            Output.Of(parsed, json).Write(
                new Created(key.Id, secret, owner.Id.Value, Credentials.Text(wanted).Split(' '), key.Wallets, key.Addresses, key.ExpiresAt),
                $"API key {key.Id}, shown only now:", secret);
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Revoke()
    {
        var command = new Documented("revoke", "End an API key, from the next request on", """
            Example:
              coffer key revoke 01961f0e-7d9a-7c1b-9c55-3f0d3c1b2a10
            """);
        var id = new Argument<string>("ID") { Description = "The key's id" };
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        command.Arguments.Add(id);
        command.Options.Add(json);
        command.SetAction(async (parsed, ct) =>
        {
            var key = Texts.Uuid(parsed.GetValue(id)!, "ID");
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var owner = await work.Db.ApiKeyOwner(key, ct);
            var issue = new IssueCredential(work.Db, work.Ids, work.Random, work.Clock);
            if (owner is null || !await issue.RevokeApiKey(owner.Value, key, ct))
                throw new SetupFailure(
                    $"There is no API key {key} here: check the id, and that --data or --database name the right ledger.");
            Output.Of(parsed, json).Write(new Revoked(key, true), $"API key {key} is revoked.");
            return CommandLine.Done;
        });
        return command;
    }

    private sealed record Created(Guid Id, string ApiKey, Guid AccountId, IReadOnlyList<string> Scopes, IReadOnlyList<Guid>? WalletIds,
        IReadOnlyList<string>? Addresses, DateTimeOffset? ExpiresAt);

    private sealed record Revoked(Guid Id, [property: System.Text.Json.Serialization.JsonPropertyName("revoked")] bool Is);
}
