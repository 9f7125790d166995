using System.CommandLine;
using System.CommandLine.Invocation;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Commands;

/// <summary>
/// The one binary's command line. What a command cannot do is one sentence on the error stream that says what to do about it, and an
/// exit status: 0 done, 1 not done or a problem found, 2 asked for in a way that nothing could be tried. A stack trace is a bug here.
/// </summary>
internal static class CommandLine
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Misused = 2;

    public static async Task<int> Run(string[] args, TextWriter output, TextWriter error)
    {
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        var parsed = Root().Parse(args);
        if (parsed.Action is ParseErrorAction or null)
        {
            var command = Path(parsed.CommandResult.Command, parsed);
            var why = parsed.UnmatchedTokens.Count > 0 ? $"'{parsed.UnmatchedTokens[0]}' is no word of it"
                : parsed.Errors.Count > 0 ? parsed.Errors[0].Message.TrimEnd('.') : "Nothing was asked for";
            await error.WriteLineAsync($"{command}: {why}. See `{command} --help`.");
            return Misused;
        }

        try
        {
            // Signals are handled above; a faulty command must not print a stack trace for what an operator can put right.
            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null,
                    Output = output,
                    Error = error,
                },
                stop.Token);
        }
        catch (Exception fault) when (Sentence(fault, stop.IsCancellationRequested) is { } sentence)
        {
            await error.WriteLineAsync($"coffer: {sentence}");
            return fault is Misuse ? Misused : Failed;
        }

        // The first signal asks, a second one ends the process at once.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }

    /// <summary>The commands, all of them.</summary>
    public static Command Root()
    {
        var root = new Command("coffer", "Keeps customers' cryptocurrency balances: an exact ledger behind an HTTP API.")
        {
            ServeCommand.Make(), DemoCommand.Make(), MigrateCommand.Make(), AccountCommand.Make(), KeyCommand.Make(), UserCommand.Make(),
            ClientCommand.Make(), RateCommand.Make(), CorrectCommand.Make(), VerifyCommand.Make(),
            ChainCommand.Make(), DepositCommand.Make(), ReconcileCommand.Make(), HotCommand.Make(), SignerCommand.Make(),
            WithdrawalCommand.Make(), FreezeCommand.Make(), LimitCommand.Make(),
        };
        root.Options.Add(new VersionAsked());
        root.Options.Add(HelpWithExamples.Option());
        return root;
    }

    /// <summary>What to say of a fault that somebody outside can put right; null for a bug.</summary>
    private static string? Sentence(Exception fault, bool stopped) => fault switch
    {
        Misuse or SetupFailure or CurrenciesFault => fault.Message,
        Refused refused => refused.Refusal.Message,
        OperationCanceledException when stopped => "Stopped before it was done.",
        _ when SqlFaults.IsOutOfResources(fault) => "The database has no room left (disk, memory or connections): make some and try again.",
        _ when SqlFaults.IsRefusedAccess(fault) => "The database user may not do that: connect as the owner of Coffer's database.",
        _ when SqlFaults.IsConnectionLoss(fault) && fault is not (IOException or SocketException) =>
            "The database does not answer: check that it runs and try again.",
        UnauthorizedAccessException or IOException => fault.Message,
        _ => null,
    };

    private static string Path(Command command, ParseResult parsed)
    {
        var words = new List<string>();
        for (var result = parsed.CommandResult; result is not null; result = result.Parent as System.CommandLine.Parsing.CommandResult)
            words.Insert(0, result.Command.Name);
        return words.Count > 0 ? string.Join(' ', words) : command.Name;
    }
}

/// <summary>The command line or the environment asks for something that cannot be meant; the sentence says what to write instead.</summary>
internal sealed class Misuse(string sentence) : Exception(sentence);
