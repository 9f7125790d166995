using System.CommandLine;
using Coffer.Server.Auth;

namespace Coffer.Server.Commands;

/// <summary><c>coffer client create</c>.</summary>
internal static class ClientCommand
{
    private const string NameMissing = "command line";

    public static Command Make() => new("client", "OAuth 2.0 clients") { Create() };

    private static Command Create()
    {
        var command = new Documented("create", "Make an OAuth client; its secret is shown once", """
            Example:
              coffer client create --account ID --scopes read

            Access tokens for it come from POST /o/token/ with grant_type=client_credentials.
            """);
        var account = Texts.Option("--account", "ID", "Whose client", required: true);
        var scopes = Texts.Option("--scopes", "read,write", "What its tokens may do at most", required: true);
        var name = Texts.Option("--name", "NAME", $"What its owner calls it ({NameMissing})");
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        foreach (var option in (Option[])[account, scopes, name, json])
            command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            var wanted = KeyCommand.Scopes(parsed.GetValue(scopes)!);
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var owner = await AccountCommand.Find(work, parsed.GetValue(account)!, ct);
            var issue = new IssueCredential(work.Db, work.Ids, work.Random, work.Clock);
            var (secret, client) = await issue.Client(owner, parsed.GetValue(name) ?? NameMissing, wanted, ct);
            Output.Of(parsed, json).Write(
                new Created(client.ClientId, secret, owner.Id.Value, Credentials.Text(wanted).Split(' ')),
                $"OAuth client {client.ClientId}, its secret, shown only now:", secret);
            return CommandLine.Done;
        });
        return command;
    }

    private sealed record Created(string ClientId, string ClientSecret, Guid AccountId, IReadOnlyList<string> Scopes);
}
