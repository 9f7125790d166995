using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using FsCheck;
using FsCheck.Fluent;

namespace Coffer.Tests.Chains.Bitcoin;

/// <summary>What may be said of every choice of coins, and some that are known by hand.</summary>
public sealed class ChooseCoinsTests
{
    private const int Runs = 3_000;
    private const long Plenty = 100_000_000;
    private static readonly int One = BitcoinSize.Without([22]);

    private sealed record Case(HotCoin[] Coins, long Paid, int Outputs, long Rate, long FeeMax)
    {
        public int Size => BitcoinSize.Without(Enumerable.Repeat(22, Outputs));
    }

    private static readonly Gen<Case> _cases =
        from count in Gen.Choose(0, 40)
        from magnitude in Gen.Choose(3, 8)
        from values in Gen.Choose(1, (int)Math.Pow(10, magnitude)).ListOf(count)
        from paid in Gen.Choose(1, (int)Math.Pow(10, magnitude))
        from near in Gen.Choose(0, 3)
        from outputs in Gen.Choose(1, 5)
        from rate in Gen.OneOf(Gen.Choose(1_000, 30_000), Gen.Choose(30_000, 2_000_000))
        from feeMax in Gen.OneOf(Gen.Constant((int)Plenty), Gen.Choose(100, 100_000))
        let coins = values.Select((value, i) => Coin(i, value)).ToArray()
        // Every fourth pays just what some coins are worth.
        let exact = coins.Take(near).Sum(coin => (long)coin.Amount) - 1_000
        select new Case(coins, near > 0 && exact > 0 ? exact : paid, outputs, rate, feeMax);

    private static HotCoin Coin(int number, long value) =>
        new(number.ToString("x64"), number % 3, "address", "0/0", value);

    private static void Check(Action<Case> holds) => Prop.ForAll(_cases.ToArbitrary(), holds)
        .Check(Config.QuickThrowOnFailure.WithMaxTest(Runs));

    [Fact]
    public void Nothing_is_spent_twice_or_beyond_what_is_there_and_the_sums_are_exact() => Check(given =>
    {
        if (Of(given).Choice is not { } choice)
            return;
        Assert.Equal(choice.Coins.Sum(coin => (long)coin.Amount), given.Paid + choice.Fee + choice.Change);
        Assert.Equal(choice.Coins.Count, choice.Coins.Distinct().Count());
        Assert.All(choice.Coins, coin => Assert.Contains(coin, given.Coins));
        Assert.InRange(choice.Coins.Count, 1, BitcoinSize.InputsMax);
    });

    [Fact]
    public void With_change_the_fee_is_the_rate_for_every_virtual_byte_and_without_it_less_than_change_costs_more() => Check(given =>
    {
        if (Of(given).Choice is not { } choice)
            return;
        var size = given.Size + (choice.Coins.Count * BitcoinSize.Input);
        if (choice.Change > 0)
            Assert.Equal(Exactly(size + BitcoinSize.Change, given.Rate), choice.Fee);
        else
            Assert.InRange(choice.Fee, Exactly(size, given.Rate), Exactly(size, given.Rate) + ChooseCoins.ChangeCost(given.Rate) - 1);
    });

    [Fact]
    public void Change_is_never_dust_and_no_coin_costs_more_than_it_is_worth() => Check(given =>
    {
        if (Of(given).Choice is not { } choice)
            return;
        Assert.True(choice.Change == 0 || choice.Change >= BitcoinLimits.DustOfChange && choice.Change >= ChooseCoins.ChangeMin(given.Rate));
        Assert.All(choice.Coins, coin => Assert.True(coin.Amount > Exactly(BitcoinSize.Input, given.Rate)));
    });

    [Fact]
    public void No_fee_is_above_what_it_may_be_or_more_than_half_of_what_is_paid() => Check(given =>
    {
        if (Of(given).Choice is { } choice)
            Assert.True(choice.Fee <= given.FeeMax && choice.Fee * 2 <= given.Paid);
    });

    [Fact]
    public void The_same_coins_in_any_order_give_the_same_choice() => Check(given =>
    {
        var (one, other) = (Of(given), Of(given with { Coins = [.. given.Coins.Reverse()] }));
        Assert.Equal(one.WhyNot, other.WhyNot);
        Assert.Equal(one.Choice?.Coins ?? [], other.Choice?.Coins ?? []);
    });

    [Fact]
    public void What_can_be_paid_is_paid() => Check(given =>
    {
        // All coins that are worth their input, in one transaction without change.
        var each = Exactly(BitcoinSize.Input, given.Rate);
        HotCoin[] all = [.. given.Coins.Where(coin => coin.Amount > each)];
        var enough = all.Sum(coin => (long)coin.Amount) >= given.Paid + Exactly(given.Size + (all.Length * BitcoinSize.Input), given.Rate);
        var whyNot = Of(given with { FeeMax = long.MaxValue }).WhyNot;
        if (enough)
            Assert.True(whyNot is null or NoPlan.FeeAboveMax);
        else
            Assert.Equal(given.Coins.Sum(coin => (long)coin.Amount) < given.Paid ? NoPlan.TooLittle : NoPlan.TooLittleForFee, whyNot);
    });

    [Fact]
    public void Coins_that_come_out_even_are_found_and_make_no_change()
    {
        // 40,000 + 25,000 is what is paid and 10 satoshi for each of 178 virtual bytes, and a little: the one large coin would need change.
        HotCoin[] coins = [Coin(1, 900_000), Coin(2, 40_000), Coin(3, 25_000), Coin(4, 23_456)];
        var choice = ChooseCoins.For(coins, 65_000 - 1_780 - 5, One, 10_000, Plenty).Choice!;
        Assert.Equal([40_000, 25_000], choice.Coins.Select(coin => (int)coin.Amount));
        Assert.Equal((1_785, 0), ((int)choice.Fee, (int)choice.Change));
    }

    [Fact]
    public void Otherwise_the_smallest_coin_that_is_enough_is_spent()
    {
        HotCoin[] coins = [Coin(1, 9_000_000), Coin(2, 300_000), Coin(3, 250_000), Coin(4, 20_000)];
        var choice = ChooseCoins.For(coins, 200_000, One, 50_000, Plenty).Choice!;
        // 42 + 68 + 31 = 141 virtual bytes.
        Assert.Equal((250_000, 7_050, 42_950), ((int)Assert.Single(choice.Coins).Amount, (int)choice.Fee, (int)choice.Change));
    }

    [Fact]
    public void Where_none_is_enough_the_largest_are_spent_together()
    {
        HotCoin[] coins = [Coin(1, 20_000), Coin(2, 100_000), Coin(3, 120_000), Coin(4, 10_000)];
        var choice = ChooseCoins.For(coins, 150_000, One, 50_000, Plenty).Choice!;
        Assert.Equal([120_000, 100_000], choice.Coins.Select(coin => (int)coin.Amount));
    }

    [Theory]
    [InlineData("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", 294)]
    [InlineData("bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry", 330)]
    [InlineData("bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6", 330)]
    [InlineData("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", 546)]
    [InlineData("2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc", 540)]
    public void Dust_is_what_Core_calls_dust(string address, long dust) =>
        Assert.Equal(dust, BitcoinSize.Dust(BitcoinAddress.ToScript(address, BitcoinNetwork.Regtest)));

    [Fact]
    public void A_replacement_pays_for_itself_out_of_the_change()
    {
        // 141 virtual bytes at the least pay 141 more, at a rate of 20 all of 2,820.
        Assert.Equal((1_551, 48_449, null), BumpFee.For(100_000, 50_000, 1_410, 110, 1_000, Plenty));
        Assert.Equal((2_820, 47_180, null), BumpFee.For(100_000, 50_000, 1_410, 110, 20_000, Plenty));

        // What would be dust goes to the miner, what is not there is not paid, and nothing beyond the bounds.
        Assert.Equal((3_000, 0, null), BumpFee.For(53_000, 50_000, 1_410, 110, 20_000, Plenty));
        Assert.Equal((0, 0, NoPlan.TooLittleForFee), BumpFee.For(51_500, 50_000, 1_410, 110, 1_000, Plenty));
        Assert.Equal((0, 0, NoPlan.FeeAboveMax), BumpFee.For(100_000, 50_000, 1_410, 110, 20_000, 2_819));
        Assert.Equal((0, 0, NoPlan.FeeAboveMax), BumpFee.For(900_000, 5_000, 1_410, 110, 20_000, Plenty));
    }

    private static (CoinChoice? Choice, NoPlan? WhyNot) Of(Case given) =>
        ChooseCoins.For(given.Coins, given.Paid, given.Size, given.Rate, given.FeeMax);

    private static long Exactly(int size, long rate) => (long)Math.Ceiling((decimal)size * rate / 1_000);
}
