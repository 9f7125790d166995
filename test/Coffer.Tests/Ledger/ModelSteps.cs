using FsCheck;
using FsCheck.Fluent;

namespace Coffer.Tests.Ledger;

/// <summary>What a step tries. Most steps carry on what earlier ones began; many are wrong on purpose.</summary>
internal enum Move
{
    Deposit, DepositAgain, Confirm, Reverse, Ask, Settle, Unsettle, Fail, Transfer, CorrectUp, CorrectDown, Repeat, Misuse,
}

/// <summary>One step of a plan: numbers that an account turns into a command, whatever it holds by then.</summary>
internal readonly record struct Step(int Account, Move Move, int Pick, int Wallet, int Currency, Int128 Amount, int Fee, int Minutes);

/// <summary>Steps that run at the same instant, for all accounts at once, then the clock moves.</summary>
internal sealed record Round(IReadOnlyList<Step> Steps, int Minutes);

/// <summary>Random plans.</summary>
internal static class ModelSteps
{
    public const int Accounts = 6, Wallets = 3, Currencies = 3;
    private const int StepsPerRound = 400;

    private static readonly Gen<Int128> Amounts = Gen.Frequency(
        (12, Gen.Choose(1, 1_000).Select(v => (Int128)v)),
        (4, from v in Gen.Choose(1, int.MaxValue) from zeros in Gen.Choose(0, 12) select v * Amount.One(zeros)),
        (1, Gen.Elements((Int128)0, -1, Amount.Max, Amount.Max / 2)));

    private static readonly Gen<Move> Moves = Gen.Frequency(
        (22, Gen.Constant(Move.Deposit)), (4, Gen.Constant(Move.DepositAgain)), (20, Gen.Constant(Move.Confirm)),
        (7, Gen.Constant(Move.Reverse)), (16, Gen.Constant(Move.Ask)), (9, Gen.Constant(Move.Settle)), (4, Gen.Constant(Move.Unsettle)), (5, Gen.Constant(Move.Fail)),
        (9, Gen.Constant(Move.Transfer)), (3, Gen.Constant(Move.CorrectUp)), (3, Gen.Constant(Move.CorrectDown)),
        (8, Gen.Constant(Move.Repeat)), (3, Gen.Constant(Move.Misuse)));

    private static readonly Gen<Step> Steps =
        from account in Gen.Choose(0, Accounts - 1)
        from move in Moves
        from pick in Gen.Choose(0, int.MaxValue)
        from wallet in Gen.Choose(0, Wallets - 1)
        from currency in Gen.Choose(0, Currencies - 1)
        from amount in Amounts
        from fee in Gen.Frequency((2, Gen.Constant(0)), (3, Gen.Choose(0, 20)))
        from minutes in Gen.Frequency((3, Gen.Choose(-60, 60)), (3, Gen.Choose(0, 3 * 1_440)), (1, Gen.Choose(0, 45 * 1_440)))
        select new Step(account, move, pick, wallet, currency, amount, fee, minutes);

    // Mostly forward, sometimes over midnight, sometimes back.
    private static readonly Gen<int> Clock = Gen.Frequency((6, Gen.Choose(0, 90)), (2, Gen.Choose(90, 1_500)), (1, Gen.Choose(-60, -1)));

    /// <summary>The plan of a seed: the same for the same seed and length, always.</summary>
    public static IReadOnlyList<Round> Plan(ulong seed, int rounds)
    {
        var round = from steps in Steps.ListOf(StepsPerRound) from minutes in Clock select new Round([.. steps], minutes);
        return [.. round.Sample(rounds, new Rnd(seed), 50)];
    }
}
