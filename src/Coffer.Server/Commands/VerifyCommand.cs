using System.CommandLine;
using Coffer.Server.Ledger;

namespace Coffer.Server.Commands;

/// <summary><c>coffer verify</c>: proves the whole ledger and names what is wrong.</summary>
internal static class VerifyCommand
{
    public static Command Make()
    {
        var command = new Documented("verify", "Prove the whole ledger, row by row; the server may go on", """
            Examples:
              coffer verify
              coffer verify --database postgres://coffer@db.example.com/coffer --json

            Every posting is balanced, follows its predecessor and carries its hash; every balance, total and hour is the sum of its
            postings; every movement is what its postings say. Exit status 1 when a row is wrong, and the first ones are named.
            """);
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        command.Options.Add(json);
        command.SetAction(async (parsed, ct) =>
        {
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var report = await Verify.Run(work.Db, work.Clock, ct);
            Output.Of(parsed, json).Write(report,
            [
                report.Clean
                    ? $"The ledger is sound: {report.Postings} postings, {report.Balances} balances, {report.FlowHours} hours and "
                      + $"{report.Movements} movements in {report.Milliseconds} ms."
                    : $"{report.BadRows} rows are wrong; of the first ones:",
                .. report.Findings.Select(finding => $"  {finding.Table} {finding.Key}: {finding.Problem}"),
            ]);
            return report.Clean ? CommandLine.Done : CommandLine.Failed;
        });
        return command;
    }
}
