using Coffer.Ledger;

namespace Coffer.Tests.Ledger;

/// <summary>
/// A customer under fire: sends one command after the other and writes down every answer. What was not answered he sends again, with the
/// same reference, or leaves open and goes on.
/// </summary>
internal sealed class FireClient(int number, int sharedNumber, Random random)
{
    private readonly AccountId own = TestLedger.Account(number), shared = TestLedger.Account(sharedNumber);
    private readonly WalletId[] wallets = [TestLedger.Wallet(number), TestLedger.Wallet(1_000_000 + number)];
    private readonly List<Command> open = [];
    private int references;

    /// <summary>What was sent, in order, with its last answer: null when none came or it was "away".</summary>
    public List<(Command Command, string? Answer)> History { get; } = [];

    public AccountId Account => own;

    /// <summary>The account that all clients of a round move; it always has enough, so that their order does not matter.</summary>
    public AccountId Shared => shared;

    public TimeSpan LongestWait { get; private set; }

    /// <summary>Goes on until told to stop; <paramref name="server"/> is the server of the moment.</summary>
    public async Task Run(Func<FireServer> server, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var command = Next();
            string? answer = null;
            do
            {
                answer = await Try(server(), command) ?? answer;
                if (answer is null) await Task.Delay(20, CancellationToken.None);
            }
            while (answer is null && random.Next(3) > 0);

            History.Add((command, answer));
            Follow(command, answer);
        }
    }

    /// <summary>Asks again for what was accepted last: it has the same movement, and nothing happens.</summary>
    public async Task AskAgain(FireServer server, int commands)
    {
        foreach (var (command, answer) in History.TakeLast(commands))
        {
            if (answer is null || answer.StartsWith("no", StringComparison.Ordinal)) continue;
            var again = await Try(server, command);
            Assert.True(again == answer.Replace("made", "same", StringComparison.Ordinal), $"{command}: first {answer}, then {again}");
        }
    }

    private async Task<string?> Try(FireServer server, Command command)
    {
        var start = TimeProvider.System.GetTimestamp();
        try
        {
            var answer = await server.Send(command);
            return answer == "away" ? null : answer;
        }
        catch (IOException)
        {
            return null;
        }
        finally
        {
            var waited = TimeProvider.System.GetElapsedTime(start);
            if (waited > LongestWait) LongestWait = waited;
        }
    }

    private Command Next()
    {
        if (open.Count > 0 && random.Next(2) == 0)
        {
            var begun = open[random.Next(open.Count)];
            open.Remove(begun);
            return begun;
        }

        var (ours, amount) = (random.Next(4) == 0, random.Next(1, 500));
        var (account, wallet) = ours ? (shared, TestLedger.Wallet(sharedNumber)) : (own, wallets[random.Next(2)]);
        var reference = Reference.Of($"{number}:{references++}");
        return random.Next(ours ? 3 : 5) switch
        {
            0 or 1 => new DepositSeen(account, wallet, TestLedger.Eth, reference, amount, TestLedger.Noon, 1),
            2 => new RequestWithdrawal(account, wallet, TestLedger.Eth, reference, ours ? 1 : amount, 1, "x"),
            3 => new Transfer(account, wallet, TestLedger.Eth, reference, wallets[wallet == wallets[0] ? 1 : 0], amount, null),
            _ => new Correct(account, wallet, TestLedger.Eth, reference, random.Next(-200, 300) | 1, null, "x"),
        };
    }

    /// <summary>What was certainly made may be carried on later.</summary>
    private void Follow(Command command, string? answer)
    {
        if (answer is null || answer.StartsWith("no", StringComparison.Ordinal)) return;
        var (account, wallet, eth, reference) = (command.Account, command.Wallet, command.Currency, command.Reference);
        if (command is DepositSeen)
        {
            open.Add(new DepositConfirmed(account, wallet, eth, reference, random.Next(3), 1));
        }
        else if (command is DepositConfirmed && account == own && random.Next(4) == 0)
        {
            open.Add(new DepositReversed(account, wallet, eth, reference, 1));
        }
        else if (command is RequestWithdrawal)
        {
            open.Add(random.Next(3) == 0 ? new FailWithdrawal(account, wallet, eth, reference) : new SettleWithdrawal(account, wallet, eth, reference));
        }
    }
}
