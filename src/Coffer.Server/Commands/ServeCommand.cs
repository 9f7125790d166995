using System.CommandLine;
using System.Net.Sockets;
using Coffer.Chains;
using Coffer.Server.Host;

namespace Coffer.Server.Commands;

/// <summary>
/// <c>coffer serve</c>. Runs until it is asked to stop: then it is not ready any more, listens no more, finishes what runs, drains the
/// writers and stops its cluster. If the process dies instead, nothing that was answered is lost; the next start takes over.
/// </summary>
internal static class ServeCommand
{
    public static Command Make()
    {
        var command = new Documented("serve", "Run the server", $"""
            Examples:
              coffer serve
              coffer serve --host 0.0.0.0 --public-url https://api.example.com --data /var/lib/coffer
              coffer serve --database postgres://coffer@db.example.com/coffer --currencies /etc/coffer/currencies.json
              coffer serve --chains /etc/coffer/chains.json

            Environment: COFFER_DATABASE, COFFER_DATA, COFFER_CURRENCIES, COFFER_CHAINS, COFFER_SHARDS,
              {string.Join(", ", SettingsReader.All.Select(name => name.Variable))}

            GET /health/live answers while the process runs, GET /health/ready while it can serve and says how far
            each chain is. SIGTERM stops it cleanly.
            """);
        var place = PlaceOptions.AddTo(command, shards: true);
        var settings = Texts.AddSettings(command);
        command.SetAction(async (parsed, ct) =>
        {
            var chosen = settings(parsed);
            var where = place.Read(parsed);
            await using var work = await Workplace.Own(where, ct);
            await using var app = await Start(chosen, where, work, work.Chains, ct);
            await parsed.InvocationConfiguration.Output.WriteLineAsync($"Coffer listens on {app.BaseUrl}");
            await app.WaitForShutdown(ct);
            return CommandLine.Done;
        });
        return command;
    }

    /// <summary>Starts the server; an address that cannot be had is a sentence.</summary>
    /// <exception cref="SetupFailure">The port is in use, may not be used, or the address is not this machine's.</exception>
    public static async Task<App> Start(
        Settings settings, Place place, Workplace work, IReadOnlyList<ChainEntry> chains, CancellationToken ct)
    {
        settings = settings with { KeysFolder = settings.KeysFolder ?? Path.Combine(place.Folder, EncryptionKeys.FolderDefault) };
        try
        {
            return await App.Start(settings, work.ConnectionString, work.Shards, work.Currencies, work.Clock, work.Random, ct,
                chains);
        }
        catch (Exception fault) when (SocketError(fault) is { } error)
        {
            throw new SetupFailure(error switch
            {
                System.Net.Sockets.SocketError.AddressAlreadyInUse =>
                    $"Port {settings.Port} on {settings.Host} is in use: stop what uses it, or choose another with --port (COFFER_PORT).",
                System.Net.Sockets.SocketError.AccessDenied =>
                    $"Port {settings.Port} may not be used by this user: choose one above 1023 with --port (COFFER_PORT).",
                _ => $"{settings.Host} is no address of this machine: choose another with --host (COFFER_HOST).",
            });
        }
    }

    /// <summary>Kestrel wraps what the socket said in exceptions of its own.</summary>
    private static SocketError? SocketError(Exception? fault)
    {
        for (; fault is not null; fault = fault.InnerException)
        {
            if (fault is SocketException { SocketErrorCode: var code } && code is System.Net.Sockets.SocketError.AddressAlreadyInUse
                or System.Net.Sockets.SocketError.AccessDenied or System.Net.Sockets.SocketError.AddressNotAvailable)
                return code;
            if (fault is Microsoft.AspNetCore.Connections.AddressInUseException)
                return System.Net.Sockets.SocketError.AddressAlreadyInUse;
        }

        return null;
    }
}
