using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Threading.Channels;
using Coffer.Ledger;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;

namespace Coffer.Tests.Ledger;

/// <summary>
/// The ledger in a process of its own, to be killed: takes one command a line, answers when it is decided and committed. This is both ends:
/// <see cref="Run"/> in the child, the rest in the test.
/// </summary>
internal sealed class FireServer : IDisposable
{
    public const string Word = "ledger-under-fire";

    private readonly Process process;
    private readonly Dictionary<long, TaskCompletionSource<string>> waiting = [];
    private readonly Task reading;
    private long last;
    private bool dead;

    private FireServer(Process process)
    {
        this.process = process;
        reading = Task.Run(Read);
    }

    public static FireServer Start(string database)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(FireServer).Assembly.Location);
        start.ArgumentList.Add(Word);
        start.ArgumentList.Add(database);
        return new FireServer(Process.Start(start)!);
    }

    /// <summary>The answer's text; faults with IOException when the process is gone before it answered.</summary>
    public async Task<string> Send(Command command)
    {
        TaskCompletionSource<string> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (waiting)
        {
            if (dead) throw new IOException("The server is dead.");
            waiting[++last] = answer;
            process.StandardInput.WriteLine($"{last}\t{Write(command)}");
            process.StandardInput.Flush();
        }

        return await answer.Task;
    }

    /// <summary>kill -9, and waits until it is gone.</summary>
    public async Task Kill()
    {
        process.Kill();
        await process.WaitForExitAsync();
        await reading;
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.Dispose();
    }

    private async Task Read()
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            var tab = line.IndexOf('\t', StringComparison.Ordinal);
            TaskCompletionSource<string>? answer;
            lock (waiting) waiting.Remove(long.Parse(line.AsSpan(0, tab), CultureInfo.InvariantCulture), out answer);
            answer!.SetResult(line[(tab + 1)..]);
        }

        lock (waiting)
        {
            dead = true;
            foreach (var answer in waiting.Values) answer.SetException(new IOException("The server died before it answered."));
        }
    }

    /// <summary>The child: answers "made ID", "same ID", "nothing", "no CODE", "away" or "fault ...".</summary>
    public static async Task<int> Run(string database)
    {
        var db = new Db(database, TimeProvider.System);
        var writers = new LedgerWriters(TestLedger.Shards, db, new Ids(TimeProvider.System, RandomNumberGenerator.Fill), TimeProvider.System);
        var answers = Channel.CreateUnbounded<string>();
        var writing = Task.Run(async () =>
        {
            await foreach (var answer in answers.Reader.ReadAllAsync()) await Console.Out.WriteLineAsync(answer);
        });
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var tab = line.IndexOf('\t', StringComparison.Ordinal);
            var command = ReadCommand(line[(tab + 1)..]);
            _ = Task.Run(async () => await answers.Writer.WriteAsync($"{line[..tab]}\t{await Answer(writers, command)}"));
        }

        return 0;
    }

    private static async Task<string> Answer(LedgerWriters writers, Command command)
    {
        try
        {
            var outcome = await writers.Write(ShardOf(command.Account), command);
            return outcome.Refusal is { } refusal ? $"no {refusal.Code}"
                : outcome.Movement is { } movement ? $"{(outcome.Replayed ? "same" : "made")} {movement.Id}" : "nothing";
        }
        catch (Refused refused) when (refused.Refusal.Code == RefusalCode.ServiceUnavailable)
        {
            return "away";
        }
        catch (Exception fault)
        {
            return $"fault {fault.ToString().ReplaceLineEndings(" ")}";
        }
    }

    public static short ShardOf(AccountId account) => (short)(account.Value.GetHashCode() & 1);

    private static string Write(Command c) => string.Join('\t', c.GetType().Name, c.Account, c.Wallet, c.Reference.Text, c switch
    {
        DepositSeen d => $"{d.Amount}",
        DepositConfirmed d => $"{d.Fee}",
        RequestWithdrawal w => $"{w.Amount}",
        Transfer t => $"{t.Amount}",
        Correct k => $"{k.Amount}",
        _ => "0",
    }, c is Transfer move ? move.To : c.Wallet);

    private static Command ReadCommand(string text)
    {
        var f = text.Split('\t');
        var (account, wallet, reference) = (new AccountId(Guid.Parse(f[1])), new WalletId(Guid.Parse(f[2])), Reference.Of(f[3]));
        var number = Int128.Parse(f[4], CultureInfo.InvariantCulture);
        return f[0] switch
        {
            nameof(DepositSeen) => new DepositSeen(account, wallet, TestLedger.Eth, reference, number, TestLedger.Noon, 1),
            nameof(DepositConfirmed) => new DepositConfirmed(account, wallet, TestLedger.Eth, reference, number, 1),
            nameof(DepositReversed) => new DepositReversed(account, wallet, TestLedger.Eth, reference, 1),
            nameof(RequestWithdrawal) => new RequestWithdrawal(account, wallet, TestLedger.Eth, reference, number, 1, "x"),
            nameof(SettleWithdrawal) => new SettleWithdrawal(account, wallet, TestLedger.Eth, reference),
            nameof(FailWithdrawal) => new FailWithdrawal(account, wallet, TestLedger.Eth, reference),
            nameof(Transfer) => new Transfer(account, wallet, TestLedger.Eth, reference, new WalletId(Guid.Parse(f[5])), number, null),
            _ => new Correct(account, wallet, TestLedger.Eth, reference, number, null, "x"),
        };
    }
}
