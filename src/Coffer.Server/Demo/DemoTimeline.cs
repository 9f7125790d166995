namespace Coffer.Server.Demo;

/// <summary>What happens to a wallet at one moment of the demo's thirty days. Amounts in smallest units.</summary>
/// <param name="Wallet">Which wallet.</param>
/// <param name="Currency">The currency's code.</param>
/// <param name="Kind">Deposit, withdrawal or transfer to the account's other wallet.</param>
/// <param name="Amount">What arrives or moves; without the fee.</param>
/// <param name="Fee">Withdrawals: all fees.</param>
internal sealed record DemoEvent(
    DateTimeOffset At, Guid Wallet, string Currency, DemoEventKind Kind, Int128 Amount, Int128 Fee, string Name);

internal enum DemoEventKind
{
    Deposit,
    Withdrawal,
    Transfer,
}

/// <summary>Events that share a block.</summary>
/// <param name="Blocks">Blocks, the one with the events included: enough to finish everything, or one to leave it pending.</param>
internal sealed record DemoStep(DateTimeOffset At, IReadOnlyList<DemoEvent> Events, int Blocks);

/// <summary>
/// The thirty days of an account as a function of their end alone, so that a start that died while it wrote them finds the same ones again.
/// Each flow is a total cut into uneven parts that sum to it exactly; withdrawals follow the deposits that pay for them.
/// </summary>
internal sealed class DemoTimeline
{
    /// <summary>What stays pending is this old at the end; everything else is older still.</summary>
    private static readonly TimeSpan _pending = TimeSpan.FromMinutes(20);

    /// <summary>Events of one day that are nearer share a block: every step costs time at the first start.</summary>
    private static readonly TimeSpan _shared = TimeSpan.FromHours(8);

    private readonly List<DemoEvent> _events = [];
    private readonly DateTimeOffset _end;
    private readonly int _blocks;
    private uint _dice;

    private DemoTimeline(DateTimeOffset end, int blocks, uint dice) => (_end, _blocks, _dice) = (end, blocks, dice);

    /// <summary>The UTC day that the 30-day history begins with.</summary>
    public static DateTimeOffset Start(DateTimeOffset end) => Day(end, 29);

    /// <summary>
    /// The account of the seed's account balances. The seven days of the default history bring its 35 deposits of 3500 and 12 withdrawals
    /// of 2700 USDTERC20, from 4200 to 5000.
    /// </summary>
    public static List<DemoStep> OfMain(DateTimeOffset end, DemoAccount account)
    {
        var (own, store) = (account.DefaultWalletId, account.WalletId);
        var line = new DemoTimeline(end, blocks: 12, dice: 2);
        var (start, week, close) = (Start(end).AddHours(2), Day(end, 6), end - (2 * _pending));
        const string usdt = "USDTERC20", usdc = "USDCERC20", eth = "ETH";
        Int128 cent = 10_000, gwei = 1_000_000_000;
        line.Deposits(own, usdt, 37, 3_700_00, cent, start, week.AddHours(-1));
        line.Deposits(store, usdt, 28, 2_800_00, cent, start, week.AddHours(-1));
        line.Withdrawals(own, usdt, 5, 1_400_00, 2_50, cent, start.AddDays(4), week.AddHours(-1));
        line.Withdrawals(store, usdt, 3, 900_00, 2_50, cent, start.AddDays(4), week.AddHours(-1));
        line.Transfer(store, usdt, 300_00 * cent, week.AddDays(-3));
        line.Deposits(own, usdt, 20, 1_800_00, cent, week.AddHours(1), close);
        line.Deposits(store, usdt, 14, 1_400_00, cent, week.AddHours(1), close);
        line.Withdrawals(own, usdt, 7, 1_600_00, 2_50, cent, week.AddHours(1), close);
        line.Withdrawals(store, usdt, 5, 1_100_00, 2_50, cent, week.AddHours(1), close);
        line.Transfer(store, usdt, 200_00 * cent, week.AddDays(2));
        line.Deposits(own, usdc, 24, 5_000_00, cent, start, end.AddHours(-20));
        line.Withdrawals(own, usdc, 10, 2_500_00, 2_50, cent, start.AddDays(4), end.AddHours(-18));
        line.Deposits(own, eth, 20, 10_000_000_000, gwei, start, end.AddHours(-50));
        line.Withdrawals(own, eth, 10, 4_876_543_211, 5_000_000, gwei, start.AddDays(4), end.AddHours(-48));
        return line.Steps(
            new DemoEvent(end - _pending, own, usdt, DemoEventKind.Deposit, 300_00 * cent, 0, "pending deposit"),
            new DemoEvent(end - _pending, store, usdt, DemoEventKind.Withdrawal, 195_50 * cent, 4_50 * cent, "pending withdrawal"));
    }

    /// <summary>The account of the seed's wallet balance.</summary>
    public static List<DemoStep> OfTrading(DateTimeOffset end, DemoAccount account)
    {
        var wallet = account.WalletId;
        var line = new DemoTimeline(end, blocks: 20, dice: 5);
        var (start, close) = (Start(end).AddHours(3), end - (2 * _pending));
        const string tron = "USDTTRC20", usdt = "USDTERC20", btc = "BTC";
        Int128 cent = 10_000, satoshi = 1;
        line.Deposits(wallet, tron, 12, 2_400_50, cent, start, close);
        line.Withdrawals(wallet, tron, 5, 1_400_00, 3_00, cent, start.AddDays(14), close);
        line.Deposits(wallet, usdt, 8, 900_75, cent, start, close);
        line.Withdrawals(wallet, usdt, 3, 500_00, 4_50, cent, start.AddDays(14), close);
        line.Deposits(wallet, btc, 6, 12_000_000, satoshi, start, close);
        line.Withdrawals(wallet, btc, 3, 7_000_000, 5_000, satoshi, start.AddDays(14), close);
        return line.Steps(new DemoEvent(end - _pending, wallet, usdt, DemoEventKind.Deposit, 100_00 * cent, 0, "pending deposit"));
    }

    private static DateTimeOffset Day(DateTimeOffset end, int daysBefore) => new(end.UtcDateTime.Date.AddDays(-daysBefore), TimeSpan.Zero);

    private void Deposits(Guid wallet, string currency, int count, long total, Int128 unit, DateTimeOffset from, DateTimeOffset to)
    {
        foreach (var (i, part) in Parts(total, count).Index())
            Add(wallet, currency, DemoEventKind.Deposit, part * unit, 0, At(from, to, i, count, later: 0));
    }

    /// <param name="total">What leaves for good, fees included.</param>
    /// <param name="fee">The fee of each.</param>
    private void Withdrawals(
        Guid wallet, string currency, int count, long total, long fee, Int128 unit, DateTimeOffset from, DateTimeOffset to)
    {
        foreach (var (i, part) in Parts(total, count).Index())
            Add(wallet, currency, DemoEventKind.Withdrawal, (part - fee) * unit, fee * unit, At(from, to, i, count, later: 40));
    }

    private void Transfer(Guid wallet, string currency, Int128 amount, DateTimeOffset at) =>
        Add(wallet, currency, DemoEventKind.Transfer, amount, 0, at.AddHours(11));

    private void Add(Guid wallet, string currency, DemoEventKind kind, Int128 amount, Int128 fee, DateTimeOffset at) =>
        _events.Add(new DemoEvent(at, wallet, currency, kind, amount, fee, $"{kind} {_events.Count + 1}"));

    /// <summary>Parts between two thirds and four thirds of the mean; the last takes what is left.</summary>
    private List<long> Parts(long total, int count)
    {
        var parts = new List<long>(count);
        for (var left = count; left > 1; left--)
        {
            var part = total / left * (67 + Roll(67)) / 100;
            parts.Add(part);
            total -= part;
        }

        parts.Add(total);
        return parts;
    }

    /// <summary>Somewhere in the i-th of equal spans; the higher <paramref name="later"/> percent, the nearer to its end.</summary>
    private DateTimeOffset At(DateTimeOffset from, DateTimeOffset to, int i, int count, int later)
    {
        var span = (to - from).Ticks / count;
        return from.AddTicks((span * i) + (span / 100 * (later + Roll(100 - later))));
    }

    /// <summary>A repeatable die (Numerical Recipes' linear congruence), so that no chance is kept anywhere.</summary>
    private int Roll(int sides)
    {
        _dice = unchecked((_dice * 1_664_525) + 1_013_904_223);
        return (int)((_dice >> 8) % (uint)sides);
    }

    /// <summary>Joins events into steps, none across midnight: each counts on its day. What stays pending comes last.</summary>
    private List<DemoStep> Steps(params DemoEvent[] pending)
    {
        var steps = new List<DemoStep>();
        foreach (var next in _events.OrderBy(e => e.At))
        {
            if (steps.Count > 0 && next.At - steps[^1].At < _shared && next.At.UtcDateTime.Date == steps[^1].At.UtcDateTime.Date)
                steps[^1] = steps[^1] with { Events = [.. steps[^1].Events, next] };
            else
                steps.Add(new DemoStep(DateTimeOffset.FromUnixTimeSeconds(next.At.ToUnixTimeSeconds()), [next], _blocks));
        }

        steps.Add(new DemoStep(_end - _pending, pending, Blocks: 1));
        return steps;
    }
}
