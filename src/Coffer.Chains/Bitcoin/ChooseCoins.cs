using Coffer.Chains.Payouts;

namespace Coffer.Chains.Bitcoin;

/// <summary>Which coins a transaction spends, what it costs and what comes back; all in satoshi.</summary>
/// <param name="Coins">At least one, the largest first.</param>
/// <param name="Fee">What the coins are worth beyond payments and change.</param>
/// <param name="Change">0: nothing comes back.</param>
internal sealed record CoinChoice(IReadOnlyList<HotCoin> Coins, long Fee, long Change);

/// <summary>
/// Chooses coins for payments. First it looks for coins that come out even, so that there is no change to pay for now and to spend later
/// (branch and bound, as in M. Erhardt's "An evaluation of coin selection strategies", 2016); then for the smallest coin that is enough,
/// which leaves the large ones to the payments beside it; then it takes the largest until they are enough. Of these it takes the one that
/// wastes least: fees beyond what these inputs cost in quiet times, change now and later, or what is given away for want of change.
///
/// Pure, and the same for the same coins in any order. What it chooses pays at least the rate for every virtual byte; with change, exactly
/// that; without, less than <see cref="ChangeCost"/> more. A coin that costs more to spend than it is worth is never chosen.
/// </summary>
internal static class ChooseCoins
{
    /// <summary>A rate of quiet times, in satoshi for 1,000 virtual bytes: below it spending many coins now saves fees later.</summary>
    public const long QuietRate = 10_000;

    /// <summary>The most that a fee may be of what is paid, in percent: for less than twice its fee nothing is sent, it waits.</summary>
    public const int FeePercentMax = 50;

    private const int Tries = 50_000;

    /// <summary>The least change that is made: what is not dust, and not dearer to spend at this rate than it is worth.</summary>
    public static long ChangeMin(long rate) =>
        Math.Max(BitcoinLimits.DustOfChange, BitcoinSize.Fee(BitcoinSize.Input, Math.Max(rate, QuietRate)));

    /// <summary>What change costs before it is worth anything: so much at most is given to the miner instead.</summary>
    public static long ChangeCost(long rate) => BitcoinSize.Fee(BitcoinSize.Change, rate) + ChangeMin(rate) + 1;

    /// <summary>The coins for a transaction, or why there is none.</summary>
    /// <param name="coins">Coins that nothing else spends.</param>
    /// <param name="paid">The sum of the payments, above 0.</param>
    /// <param name="size">The transaction without inputs and change, in virtual bytes.</param>
    /// <param name="rate">Satoshi for 1,000 virtual bytes, above 0.</param>
    /// <param name="feeMax">The most that it may cost.</param>
    public static (CoinChoice? Choice, NoPlan? WhyNot) For(IReadOnlyList<HotCoin> coins, long paid, int size, long rate, long feeMax)
    {
        var each = BitcoinSize.Fee(BitcoinSize.Input, rate);
        HotCoin[] worthwhile =
        [
            .. coins.Where(coin => coin.Amount > each).OrderByDescending(coin => coin.Amount)
                .ThenBy(coin => coin.TxId, StringComparer.Ordinal).ThenBy(coin => coin.Ordinal),
        ];
        var task = new Task(paid, size, rate);
        CoinChoice?[] found = [Even(worthwhile, task), Single(worthwhile, task), Largest(worthwhile, task)];
        if (found.All(choice => choice is null))
            return (null, coins.Aggregate(Int128.Zero, (sum, coin) => sum + coin.Amount) < paid ? NoPlan.TooLittle : NoPlan.TooLittleForFee);
        return found.OfType<CoinChoice>().Where(choice => MayCost(choice.Fee, paid, feeMax)).MinBy(task.Waste) is { } best
            ? (best, null) : (null, NoPlan.FeeAboveMax);
    }

    /// <summary>Whether a fee is within both bounds: what the operator allows, and a share of what is paid.</summary>
    public static bool MayCost(long fee, long paid, long feeMax) => fee <= feeMax && fee <= (Int128)paid * FeePercentMax / 100;

    private static CoinChoice? Single(HotCoin[] coins, Task task) =>
        coins.Reverse().Select(coin => task.Fit([coin])).FirstOrDefault(choice => choice is not null);

    private static CoinChoice? Largest(HotCoin[] coins, Task task)
    {
        for (var count = 1; count <= Math.Min(coins.Length, BitcoinSize.InputsMax); count++)
            if (task.Fit(coins[..count]) is { } choice)
                return choice;
        return null;
    }

    private static CoinChoice? Even(HotCoin[] coins, Task task)
    {
        var each = BitcoinSize.Fee(BitcoinSize.Input, task.Rate);
        var target = task.Paid + BitcoinSize.Fee(task.Size, task.Rate);
        var most = target + ChangeCost(task.Rate) - 1;
        HotCoin[] small = [.. coins.Where(coin => (long)coin.Amount - each <= most)];
        var search = new Search([.. small.Select(coin => (long)coin.Amount - each)], target, most,
            BitcoinSize.Fee(BitcoinSize.Input, task.Rate) - BitcoinSize.Fee(BitcoinSize.Input, QuietRate));
        return search.Run() is { } taken ? task.Fit([.. taken.Select(i => small[i])]) : null;
    }

    /// <summary>What is to be paid, and how it comes out with certain coins.</summary>
    private sealed record Task(long Paid, int Size, long Rate)
    {
        /// <summary>Null when the coins are not enough.</summary>
        public CoinChoice? Fit(HotCoin[] coins)
        {
            var left = coins.Sum(coin => (long)coin.Amount) - Paid;
            var size = Size + (coins.Length * BitcoinSize.Input);
            if (left < BitcoinSize.Fee(size, Rate))
                return null;
            var fee = BitcoinSize.Fee(size + BitcoinSize.Change, Rate);
            return left - fee >= ChangeMin(Rate) ? new CoinChoice(coins, fee, left - fee) : new CoinChoice(coins, left, 0);
        }

        public long Waste(CoinChoice choice)
        {
            var size = Size + (choice.Coins.Count * BitcoinSize.Input);
            var inputs = choice.Coins.Count * (BitcoinSize.Fee(BitcoinSize.Input, Rate) - BitcoinSize.Fee(BitcoinSize.Input, QuietRate));
            return inputs + (choice.Change > 0
                ? BitcoinSize.Fee(BitcoinSize.Change, Rate) + BitcoinSize.Fee(BitcoinSize.Input, QuietRate)
                : choice.Fee - BitcoinSize.Fee(size, Rate));
        }
    }

    /// <summary>Looks for coins whose worth comes to at least the target and at most a little more, with a bound on the tries.</summary>
    /// <param name="worth">Each coin less what spending it costs, the largest first.</param>
    /// <param name="target">At least so much.</param>
    /// <param name="most">At most so much.</param>
    /// <param name="wasteEach">What one more coin wastes; below 0 in quiet times.</param>
    private sealed class Search(long[] worth, long target, long most, long wasteEach)
    {
        private readonly List<int> taken = [];
        private int[]? best;
        private long bestWaste = long.MaxValue;
        private int tries = Tries;

        public int[]? Run()
        {
            Go(0, 0, worth.Sum());
            return best;
        }

        // As deep as there are coins taken or kinds of coins left out; with so many tries never deeper than that.
        private void Go(int at, long sum, long rest)
        {
            while (sum < target)
            {
                if (tries-- <= 0 || at == worth.Length || sum + rest < target || taken.Count == BitcoinSize.InputsMax)
                    return;
                rest -= worth[at];
                if (sum + worth[at] <= most)
                {
                    taken.Add(at);
                    Go(at + 1, sum + worth[at], rest);
                    taken.RemoveAt(taken.Count - 1);
                }

                // Without this coin the next of the same worth would only repeat what was tried.
                for (at++; at < worth.Length && worth[at] == worth[at - 1]; at++)
                    rest -= worth[at];
            }

            var waste = sum - target + (taken.Count * wasteEach);
            if (waste < bestWaste)
                (best, bestWaste) = ([.. taken], waste);
        }
    }
}
