using Coffer.Tests.Ledger;
using Coffer.Tests.Live;
using Coffer.Tests.Payouts;
using Coffer.Tests.Webhooks;

namespace Coffer.Tests;

/// <summary>Runs the tests; or, for the tests under fire, a ledger or a follower that can be killed.</summary>
internal static class Program
{
    private static Task<int> Main(string[] args) => args switch
    {
        [FireServer.Word, var database] => FireServer.Run(database),
        [MortalFollower.Word, var database, var node, var point, var time] => MortalFollower.Run(database, node, point, time),
        [MortalBitcoinPayer.Word, var database, var node, var from, var point, var time, var bump] =>
            MortalBitcoinPayer.Run(database, node, from, point, time, bump),
        [MortalPayer.Word, var database, var node, var tokens, var point, var time] => MortalPayer.Run(database, node, tokens, point, time),
        [MortalDeliverer.Word, var database, var keys, var ahead, var point, var time] => MortalDeliverer.Run(database, keys, ahead, point, time),
        _ => Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args),
    };
}
