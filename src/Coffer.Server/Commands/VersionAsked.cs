using System.CommandLine;
using System.CommandLine.Invocation;
using Coffer.Server.Sql;

namespace Coffer.Server.Commands;

/// <summary><c>--version</c>.</summary>
internal sealed class VersionAsked : Option<bool>
{
    public VersionAsked()
        : base("--version")
    {
        Description = "Print the version";
        Arity = ArgumentArity.Zero;
        Action = new Print();
    }

    private sealed class Print : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parsed)
        {
            parsed.InvocationConfiguration.Output.WriteLine($"coffer {Migrations.Version}");
            return CommandLine.Done;
        }
    }
}
