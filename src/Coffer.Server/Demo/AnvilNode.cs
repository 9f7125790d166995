using System.Diagnostics;
using Coffer.Chains;
using Coffer.Server.Host;

namespace Coffer.Server.Demo;

/// <summary>
/// An Ethereum node of the demo's own (anvil, of Foundry). It ends with the demo, also when the demo is killed: a shell holds it that waits for
/// the end of its own input.
/// </summary>
internal sealed class AnvilNode : IAsyncDisposable
{
    /// <summary>The chain's name in the ledger.</summary>
    public const string ChainId = "anvil";

    /// <summary>The network whose currencies live on it.</summary>
    public const string Network = "ETH";

    // m/44'/60'/1' of the phrase "test test test test test test test test test test test junk", which everybody knows.
    private const string Xpub =
        "xpub6Ce9NcJvTk372KjsGfWqbcex5DumjpNquQLApoeQUavSCjEc823BV1tb4rXUuPuht8h2hSxkg2EXUaKUJmniJvRZAELxypsCzBFdtosmV76";

    private const string Program = "anvil";
    private const string Variable = "COFFER_ANVIL";
    private const string Listening = "Listening on ";
    private const string State = "anvil-state.json";

    // On SIGTERM it writes its chain down.
    private const string Hold = "exec 3<&0; \"$@\" </dev/null 3<&- & read -r _ <&3; kill $!; wait $!";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private readonly Process _shell;

    private AnvilNode(Process shell, Uri url) => (_shell, Url) = (shell, url);

    /// <summary>Where it answers JSON-RPC.</summary>
    public Uri Url { get; }

    /// <summary>The chain as a chains file would describe it.</summary>
    public ChainEntry Entry => new()
    {
        Id = ChainId,
        Kind = ChainKind.Evm,
        Network = Network,
        Nodes = [Url],
        Xpub = Xpub,
        ChainId = 31337,
        Start = 0,
        Poll = TimeSpan.FromSeconds(1),
    };

    /// <summary>Starts one that makes a block a second and keeps its chain in the data folder.</summary>
    /// <exception cref="SetupFailure">There is no anvil here, or it does not start.</exception>
    public static Task<AnvilNode> StartDemo(string folder, CancellationToken ct) =>
        Start(["--block-time", "1", "--state", Path.Combine(folder, State), "--state-interval", "1"], ct);

    /// <summary>Starts one on a free port with these arguments.</summary>
    /// <exception cref="SetupFailure">There is no anvil here, or it does not start.</exception>
    public static async Task<AnvilNode> Start(IReadOnlyList<string> more, CancellationToken ct)
    {
        var program = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given ? given : Program;
        var start = new ProcessStartInfo("/bin/sh")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string[] arguments = ["-c", Hold, "sh", program, "--host", "127.0.0.1", "--port", "0", .. more];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        var shell = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(_patience);
        try
        {
            // What it says later has to be taken, or it stops at a full pipe.
            _ = shell.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
            while (await shell.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                if (!line.StartsWith(Listening, StringComparison.Ordinal))
                    continue;
                _ = shell.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                return new AnvilNode(shell, new Uri("http://" + line[Listening.Length..].Trim()));
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // Said below.
        }
        catch
        {
            shell.StandardInput.Close();
            throw;
        }

        shell.StandardInput.Close();
        throw new SetupFailure($"{program} does not start: install anvil (npm package @foundry-rs/anvil-linux-amd64, or Foundry) and name it with "
            + $"{Variable}, or start the demo with ./coffer, which installs it.");
    }

    public async ValueTask DisposeAsync()
    {
        _shell.StandardInput.Close();
        using var limit = new CancellationTokenSource(_patience);
        await _shell.WaitForExitAsync(limit.Token);
        _shell.Dispose();
    }
}
