using System.CommandLine;
using System.Globalization;
using Coffer.Server.Host;
using Coffer.Server.Ledger;

namespace Coffer.Server.Commands;

/// <summary>Where a command finds the ledger: a database by connection string, else the private cluster of a data folder.</summary>
/// <param name="Database">The connection string as it was given; null for the private cluster.</param>
/// <param name="Folder">The data folder of the private cluster.</param>
/// <param name="CurrenciesFile">The currency file; null for the one that is built in.</param>
/// <param name="ChainsFile">The chains file; null for no real chain.</param>
/// <param name="Shards">The number of shards that is asked for; null for what the database has.</param>
internal sealed record Place(string? Database, string Folder, string? CurrenciesFile, string? ChainsFile, int? Shards);

/// <summary>The options that say where; each command has its own set of them.</summary>
internal sealed class PlaceOptions
{
    public const string Serve = "coffer";
    public const string Demo = "coffer-demo";

    private readonly string _folderName;
    private readonly Option<string> _database;
    private readonly Option<string> _data;
    private readonly Option<string> _currencies;
    private readonly Option<string> _chains;
    private readonly Option<string>? _shards;

    private PlaceOptions(Command command, string folderName, bool shards)
    {
        _folderName = folderName;
        _database = Texts.Option("--database", "CONNECTION",
            "PostgreSQL 15 or later: postgres://... or Npgsql keywords; none: a private cluster");
        _data = Texts.Option("--data", "FOLDER", $"Folder of the private cluster ({DefaultFolder(folderName)})");
        _currencies = Texts.Option("--currencies", "FILE", "Currency file (built in)");
        command.Options.Add(_database);
        command.Options.Add(_data);
        command.Options.Add(_currencies);
        _chains = Texts.Option("--chains", "FILE", "Chains file (none: no real chain)");
        command.Options.Add(_chains);
        if (!shards)
            return;
        _shards = Texts.Option("--shards", "N", "Writer lanes of a new database, fixed for ever "
            + $"(one more than there are cores, {Settings.ShardsDefaultMin} to {Settings.ShardsDefaultMax})");
        command.Options.Add(_shards);
    }

    /// <summary>Adds the options to a command.</summary>
    public static PlaceOptions AddTo(Command command, string folderName = Serve, bool shards = false) => new(command, folderName, shards);

    /// <exception cref="Misuse">The number of shards is none.</exception>
    public Place Read(ParseResult parsed)
    {
        var folder = Texts.Given(parsed, _data, "COFFER_DATA") ?? DefaultFolder(_folderName);
        var shards = Texts.Given(parsed, _shards, "COFFER_SHARDS");
        if (shards is not null && (!int.TryParse(shards, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || number is < 1 or > FixSettings.ShardsMax))
            throw new Misuse($"--shards (COFFER_SHARDS) must be a whole number from 1 to {FixSettings.ShardsMax}, not \"{shards}\".");
        return new Place(Texts.Given(parsed, _database, "COFFER_DATABASE"), folder, Texts.Given(parsed, _currencies, "COFFER_CURRENCIES"),
            Texts.Given(parsed, _chains, "COFFER_CHAINS"), shards is null ? null : int.Parse(shards, CultureInfo.InvariantCulture));
    }

    /// <summary>The user's own data folder; a service account without a home has the machine's.</summary>
    private static string DefaultFolder(string name)
    {
        var own = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return Path.Combine(own.Length > 0 ? own : "/var/lib", name);
    }
}
