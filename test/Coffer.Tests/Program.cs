using Coffer.Tests.Ledger;

namespace Coffer.Tests;

/// <summary>Runs the tests; or, for the bank test under fire, a ledger that can be killed.</summary>
internal static class Program
{
    private static Task<int> Main(string[] args) => args is [FireServer.Word, var database]
        ? FireServer.Run(database)
        : Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
}
