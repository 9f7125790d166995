using System.CommandLine;
using System.Net;
using System.Text.Json;
using Coffer.Server.Auth;
using Coffer.Server.Demo;
using Coffer.Server.Host;

namespace Coffer.Server.Commands;

/// <summary>
/// <c>coffer demo</c>: a server on this machine alone, with thirty days of sample data that end in the figures of the documentation.
/// Kill it in any way at any time; started again on the same folder it goes on with the data that is there and the same credentials.
/// </summary>
internal static class DemoCommand
{
    private static readonly JsonSerializerOptions _form = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    public static Command Make()
    {
        var command = new Documented("demo", "Run a server with thirty days of sample data, ready to query", """
            Examples:
              coffer demo
              coffer demo --port 9000 --data ./data --ready ready.json
              coffer demo --chain anvil

            The file of --ready appears once the server answers: one JSON object with base_url, account_id, wallet_id, api_key, client_id,
            client_secret and the same with trading_ for the second account,
            dashboard_url, dashboard_user and dashboard_password. Delete the data folder to begin anew.

            --chain anvil runs a real Ethereum node beside it and prints a deposit address of a live account and the command that pays it;
            the file of --ready then has chain_ with node_url, account_id, wallet_id, api_key and address too.
            """);
        var ready = Texts.Option("--ready", "FILE", "Write URL and credentials there once it answers");
        var chain = Texts.Option("--chain", AnvilNode.ChainId, "Run a real node too and follow it").AcceptOnly(AnvilNode.ChainId);
        var place = PlaceOptions.AddTo(command, PlaceOptions.Demo, shards: true);
        var settings = Texts.AddSettings(command);
        command.Options.Add(ready);
        command.Options.Add(chain);
        var json = Output.Option();
        command.Options.Add(json);
        command.SetAction(async (parsed, ct) =>
        {
            var (chosen, where, file) = (settings(parsed), place.Read(parsed), parsed.GetValue(ready));
            // Whoever tries webhooks does so on his own machine.
            if (chosen.WebhookNetworks.Count == 0)
                chosen = chosen with { WebhookNetworks = [IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")] };
            if (file is not null)
                Writable(file);
            await using var work = await Workplace.Own(where, ct);
            Directory.CreateDirectory(where.Folder);
            var plan = DemoPlan.Of(where.Folder, work.Clock, work.Random);
            if (!plan.Seeded)
            {
                await SeedDemo.Run(plan, work.ConnectionString, work.Shards, work.Currencies, work.Random, ct);
                plan = plan.Done(where.Folder);
            }

            await MakeUser(work, plan, ct);
            await using var node = parsed.GetValue(chain) is null ? null : await AnvilNode.StartDemo(where.Folder, ct);
            await using var app = await ServeCommand.Start(chosen, where, work, node is null ? work.Chains : [node.Entry], ct);
            var onChain = node is null ? null : await ChainDemo.Of(where.Folder, app, work, ct);
            var opened = ReadyToQuery.Of(app.BaseUrl, plan, onChain, node?.Url);
            if (file is not null)
                PrivateFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(opened, _form));
            Output.Of(parsed, json).Write(opened, FirstScreen.Of(opened, onChain?.Screen(app.BaseUrl, node!.Url) ?? ""));
            await app.WaitForShutdown(ct);
            return CommandLine.Done;
        });
        return command;
    }

    /// <summary>The one who signs in to the dashboard, with every role's rights; made once, whatever he changes later.</summary>
    private static async Task MakeUser(Workplace work, DemoPlan plan, CancellationToken ct)
    {
        if (await work.Db.UserByName(DemoPlan.User, ct) is not null)
            return;
        var account = await work.Db.AccountById(new AccountId(plan.Main.AccountId), ct) ?? throw new SetupFailure("The demo's account is gone.");
        var user = new User(work.Ids.New(), DemoPlan.User, account.Id, account.Shard, account.Mode, Role.Operator,
            PasswordHash.Of(plan.DashboardPassword!, work.Random), null, 0, work.Clock.GetUtcNow(), null);
        await work.Db.Transaction((tx, token) => tx.Insert(user, token), ct);
    }

    /// <summary>Said now, not after thirty days are written; and a file of an earlier run must not be taken for this one's.</summary>
    private static void Writable(string file)
    {
        try
        {
            // Under another name: whoever waits for the file must not see it before the server answers.
            var probe = file + ".probe";
            PrivateFile.Write(probe, "{}"u8);
            File.Delete(probe);
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SetupFailure($"The file {file} of --ready cannot be written: choose another ({e.Message.TrimEnd('.')}).");
        }
    }
}
