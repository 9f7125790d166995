using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Coffer.Server.Commands;

/// <summary><c>--help</c>: what the library prints, then the examples and environment variables of the command.</summary>
internal sealed class HelpWithExamples(HelpAction inner) : SynchronousCommandLineAction
{
    private const string Overview = """
        Examples:
          coffer demo                                   a server with thirty days of sample data on http://127.0.0.1:8480
          coffer serve --port 8480                      a server with a private PostgreSQL in the data folder
          coffer account create --name "Acme"           works while the server runs, on the same --data or --database
          coffer key create --account ID --scopes read,write
          coffer verify                                 proves the whole ledger, row by row

        Every setting is an option or an environment variable; the option wins.

        Exit status: 0 done, 1 failed or a problem was found, 2 wrong usage.
        """;

    public override bool ClearsParseErrors => true;

    public static Option Option()
    {
        var help = new HelpOption { Recursive = true };
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        return help;
    }

    public override int Invoke(ParseResult parsed)
    {
        var result = inner.Invoke(parsed);
        var command = parsed.CommandResult.Command;
        var more = command.Name == "coffer" ? Overview : (command as Documented)?.Examples;
        if (more is not null)
            parsed.InvocationConfiguration.Output.WriteLine(more + Environment.NewLine);
        return result;
    }
}

/// <summary>A command with something to say after its options.</summary>
internal sealed class Documented(string name, string about, string examples) : Command(name, about)
{
    public string Examples { get; } = examples;
}
