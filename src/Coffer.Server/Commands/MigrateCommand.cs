using System.CommandLine;
using Coffer.Server.Sql;

namespace Coffer.Server.Commands;

/// <summary><c>coffer migrate</c>: brings the database to this version, for operators who do that before the servers start.</summary>
internal static class MigrateCommand
{
    public static Command Make()
    {
        var command = new Documented("migrate", "Bring the database to this version's schema; servers also do it when they start", """
            Examples:
              coffer migrate --database postgres://coffer@db.example.com/coffer
              coffer migrate --data /var/lib/coffer --shards 16
            """);
        var place = PlaceOptions.AddTo(command, shards: true);
        var json = Output.Option();
        command.Options.Add(json);
        command.SetAction(async (parsed, ct) =>
        {
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: true, ct);
            Output.Of(parsed, json).Write(new Schema(Migrations.Version, Migrations.Newest, work.Shards),
                $"The database has schema {Migrations.Newest} of Coffer {Migrations.Version} and {work.Shards} shards.");
            return CommandLine.Done;
        });
        return command;
    }

    private sealed record Schema(string Version, int Migration, int Shards);
}
