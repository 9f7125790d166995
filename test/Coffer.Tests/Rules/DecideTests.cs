using System.Globalization;
using Coffer.Ledger;
using static Coffer.Tests.Ledger.TestLedger;

namespace Coffer.Tests.Rules;

/// <summary>The rules of the ledger, case by case, on balances in memory.</summary>
public sealed class DecideTests
{
    private static readonly AccountId Owner = Account(1);
    private static readonly WalletId Main = Wallet(1), Other = Wallet(2);
    private static readonly Reference Same = Reference.Of("same");
    private static readonly Int128 Max = Amount.Max;

    private readonly Dictionary<(WalletId, string), Balance> balances = [];
    private readonly Dictionary<Reference, Movement> movements = [];
    private readonly List<Posting> postings = [];
    private DateTimeOffset now = Noon;
    private int ids;

    public enum Stage { Nothing, Seen, Confirmed, Reversed, Requested, Settled, Failed, Transferred, Corrected }

    /// <summary>Every command (rows) on every stage of the movement with its reference: what is booked, = unchanged, or the refusal.</summary>
    public static TheoryData<string, string[]> Table => new()
    {
        // Nothing, Seen, Confirmed, Reversed, Requested, Settled, Failed, Transferred, Corrected
        { "seen 1", ["DepositSeen", "=", "=", "=", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict"] },
        { "seen 2", ["DepositSeen", "Conflict", "Conflict", "DepositSeen", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict"] },
        { "seen other wallet", ["DepositSeen", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict"] },
        { "seen other currency", ["DepositSeen", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict"] },
        { "confirmed 1", ["NotFound", "DepositConfirmed", "=", "=", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict"] },
        { "confirmed 2", ["NotFound", "=", "=", "=", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict"] },
        { "confirmed other wallet", ["NotFound", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict"] },
        { "reversed 1", ["-", "DepositReversed", "DepositReversed", "=", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict"] },
        { "reversed 2", ["-", "=", "=", "=", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict"] },
        { "reversed other wallet", ["-", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict"] },
        { "request", ["WithdrawalRequested", "Reused", "Reused", "Reused", "=", "=", "=", "Reused", "Reused"] },
        { "request other amount", ["WithdrawalRequested", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused"] },
        { "request other destination", ["WithdrawalRequested", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused"] },
        { "settle", ["NotFound", "Conflict", "Conflict", "Conflict", "WithdrawalSettled", "=", "Conflict", "Conflict", "Conflict"] },
        { "settle other wallet", ["NotFound", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict"] },
        { "settle for less", ["NotFound", "Conflict", "Conflict", "Conflict", "WithdrawalSettled", "=", "Conflict", "Conflict", "Conflict"] },
        { "unsettle", ["NotFound", "Conflict", "Conflict", "Conflict", "=", "WithdrawalUnsettled", "=", "Conflict", "Conflict"] },
        { "unsettle another time", ["NotFound", "Conflict", "Conflict", "Conflict", "=", "=", "=", "Conflict", "Conflict"] },
        { "unsettle other wallet", ["NotFound", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict"] },
        { "fail", ["NotFound", "Conflict", "Conflict", "Conflict", "WithdrawalFailed", "Conflict", "=", "Conflict", "Conflict"] },
        { "fail other wallet", ["NotFound", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict", "Conflict"] },
        { "transfer", ["TransferOut TransferIn", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused", "=", "Reused"] },
        { "transfer other amount", ["TransferOut TransferIn", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused"] },
        { "transfer elsewhere", ["TransferOut TransferIn", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused"] },
        { "correct", ["CorrectionIn", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused", "="] },
        { "correct down", ["CorrectionOut", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused", "Reused"] },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Each_command_does_on_each_stage_what_the_table_says(string name, string[] expected)
    {
        foreach (var stage in Enum.GetValues<Stage>())
        {
            Restart();
            Reach(stage);
            var (before, count) = (balances[(Main, "ETH")], postings.Count);
            var decision = Do(Named(name));
            var booked = string.Join(' ', postings.Skip(count).Select(posting => posting.Kind));
            var got = decision.Refusal is { } refusal ? refusal.Code == RefusalCode.IdempotencyKeyReused ? "Reused" : $"{refusal.Code}"
                : decision.Movement is null ? "-" : booked.Length == 0 ? "=" : booked;
            Assert.Equal($"{stage}: {expected[(int)stage]}", $"{stage}: {got}");
            if (got is "=" or "-" or "Reused" or "Conflict" or "NotFound") Assert.Same(before, balances[(Main, "ETH")]);
            Assert.All(postings, posting => Assert.True(posting.Sum == 0 && PostingShape.Fits(posting), $"{posting}"));
        }
    }

    [Fact]
    public void A_repeated_command_answers_the_same_movement()
    {
        var first = Do(Ask(10, 1));
        var second = Do(Ask(10, 1));
        Assert.Equal(first.Refusal?.Code, second.Refusal?.Code);
        Fund(100);
        var made = Do(Ask(10, 1));
        Assert.True(made.IsNew);
        var again = Do(Ask(10, 1));
        Assert.False(again.IsNew);
        Assert.Equal(made.Movement, again.Movement);
        Assert.Empty(again.Postings);
    }

    [Fact]
    public void A_deposit_seen_again_with_another_amount_counts_the_new_one()
    {
        Do(Seen(100, 1));
        Do(Reversed(1));
        now = Noon.AddHours(1);
        var again = Do(Seen(120, 2)).Movement!;
        Assert.Equal((120, 2, MovementState.Seen, Noon.AddHours(1)), (again.Amount, again.Sighting, again.State, again.UpdatedAt));
        Do(Confirmed(20, 2));
        Expect(available: 100, deposited: 120, withdrawn: 20, fees: 20);
        Do(Reversed(1)); // stale
        Do(Confirmed(0, 1)); // stale
        Expect(available: 100, deposited: 120, withdrawn: 20, fees: 20);
    }

    [Fact]
    public void A_reorged_deposit_takes_back_exactly_what_it_gave_its_fee_too()
    {
        Fund(1_000);
        Do(Seen(100, 1));
        Do(Confirmed(7, 1));
        Expect(available: 1_093, deposited: 1_100, withdrawn: 7, fees: 7);
        Do(Reversed(1));
        Expect(available: 1_000, deposited: 1_000);
        Assert.Equal(0, postings.Sum(posting => (long)posting.Flow.WithdrawalCount));
        Assert.Equal(1, postings.Sum(posting => (long)posting.Flow.DepositCount));
    }

    [Fact]
    public void A_fee_is_never_more_than_the_deposit()
    {
        Do(Seen(5, 1));
        var movement = Do(Confirmed(7, 1)).Movement!;
        Assert.Equal(5, movement.Fee);
        Expect(deposited: 5, withdrawn: 5, fees: 5);
    }

    [Fact]
    public void A_reversal_after_spending_leaves_a_deficit_that_freezes_until_new_deposits_paid_it()
    {
        Do(Seen(100, 1));
        Do(Confirmed(10, 1));
        Do(new Correct(Owner, Main, Eth, Reference.Of("spent"), -60, null, "spent"));
        Do(Reversed(1));
        Expect(deposited: 60, withdrawn: 60, deficit: 60);
        Assert.Equal(RefusalCode.Conflict, Do(Ask(1, 0, "frozen")).Refusal?.Code);
        Assert.Equal(RefusalCode.Conflict, Do(Move(1, "frozen transfer")).Refusal?.Code);

        Do(Seen(40, 1, "part"));
        var paid = Do(Confirmed(0, 1, "part"));
        Assert.Equal([PostingKind.DepositConfirmed, PostingKind.DeficitPaid], paid.Postings.Select(posting => posting.Kind));
        Expect(deposited: 60, withdrawn: 60, deficit: 20);
        Assert.Equal(RefusalCode.Conflict, Do(Ask(1, 0, "still frozen")).Refusal?.Code);

        Do(Seen(50, 1, "rest"));
        Do(Confirmed(5, 1, "rest"));
        Expect(available: 25, deposited: 90, withdrawn: 65, fees: 5);
        Assert.Null(Do(Ask(25, 0, "open again")).Refusal);
    }

    [Fact]
    public void A_withdrawal_that_is_held_still_settles_and_fails_while_frozen()
    {
        Do(Seen(100, 1));
        Do(Confirmed(0, 1));
        Do(Ask(40, 2, "held"));
        Do(Ask(30, 2, "back"));
        Do(Reversed(1));
        Expect(held: 74, deposited: 74, deficit: 74);
        Assert.Null(Do(new SettleWithdrawal(Owner, Main, Eth, Reference.Of("held"))).Refusal);
        Assert.Null(Do(new FailWithdrawal(Owner, Main, Eth, Reference.Of("back"))).Refusal);
        Expect(available: 32, deposited: 74, withdrawn: 42, fees: 2, deficit: 74);
    }

    [Fact]
    public void A_deposit_counts_at_its_block_but_never_after_now()
    {
        var past = Noon.AddDays(-20).AddTicks(3);
        Assert.Equal(Noon.AddDays(-20), Do(Seen(1, 1, at: past)).Movement!.EffectiveAt);
        Assert.Equal(Noon, Do(Seen(1, 1, "future", Noon.AddHours(2))).Movement!.EffectiveAt);
        now = Noon.AddMinutes(90);
        Assert.Equal(Noon.AddDays(-20), Do(Confirmed(0, 1)).Postings[0].EffectiveAt);
        Assert.Equal(Noon.AddDays(-20), Do(Reversed(1)).Postings[0].Hour);
        Do(new Correct(Owner, Main, Eth, Reference.Of("late"), 5, Noon.AddDays(-2), "late"));
        Assert.Equal(Noon.AddDays(-2), movements[Reference.Of("late")].EffectiveAt);
        Do(new Correct(Owner, Main, Eth, Reference.Of("early"), 5, Noon.AddDays(2), "early"));
        Assert.Equal(now, movements[Reference.Of("early")].EffectiveAt);
    }

    [Fact]
    public void A_withdrawal_counts_when_it_finished()
    {
        Fund(100);
        Do(Ask(10, 1));
        now = Noon.AddHours(3);
        var settled = Do(new SettleWithdrawal(Owner, Main, Eth, Same));
        Assert.Equal(Noon.AddHours(3), settled.Postings[0].Hour);
        Assert.Equal(new Flow(0, 11, 0, 1), settled.Postings[0].Flow);
    }

    [Fact]
    public void A_settlement_that_is_undone_is_held_again_and_leaves_the_hour_that_had_it()
    {
        Fund(100);
        Do(Ask(10, 3));
        var settled = Do(new SettleWithdrawal(Owner, Main, Eth, Same)).Movement!;
        now = Noon.AddDays(2);
        var undone = Do(new UnsettleWithdrawal(Owner, Main, Eth, Same, settled.EffectiveAt));
        Expect(available: 87, held: 13, deposited: 100);
        Assert.Equal((MovementState.Requested, new Flow(0, -13, 0, -1), Noon, now), (undone.Movement!.State, undone.Postings[0].Flow,
            undone.Postings[0].Hour, undone.Postings[0].RecordedAt));
        var again = Do(new SettleWithdrawal(Owner, Main, Eth, Same)).Movement!;
        // A late command of the first settlement does not touch the second.
        Do(new UnsettleWithdrawal(Owner, Main, Eth, Same, settled.EffectiveAt));
        Expect(available: 87, deposited: 100, withdrawn: 13, fees: 3);
        Do(new UnsettleWithdrawal(Owner, Main, Eth, Same, again.EffectiveAt));
        Do(new FailWithdrawal(Owner, Main, Eth, Same));
        Expect(available: 100, deposited: 100);
    }

    [Fact]
    public void A_fee_that_turned_out_lower_gives_the_rest_back_and_a_higher_one_takes_no_more()
    {
        Fund(100);
        Do(Ask(10, 3));
        var movement = Do(new SettleWithdrawal(Owner, Main, Eth, Same, Fee: 1)).Movement!;
        Assert.Equal(1, movement.Fee);
        Expect(available: 89, deposited: 100, withdrawn: 11, fees: 1);
        Do(new Correct(Owner, Main, Eth, Reference.Of("spent"), -89, null, "spent"));
        // What was given back may be spent, so undoing it reserves what left, and a second settlement takes no more than that.
        Do(new UnsettleWithdrawal(Owner, Main, Eth, Same, movement.EffectiveAt));
        Expect(held: 11, deposited: 100, withdrawn: 89);
        Do(new SettleWithdrawal(Owner, Main, Eth, Same, Fee: 2));
        Expect(deposited: 100, withdrawn: 100, fees: 1);
    }

    [Fact]
    public void A_clock_that_jumps_back_books_nothing_before_what_it_follows()
    {
        now = Noon.AddHours(1);
        Fund(100, Other);
        now = Noon;
        Fund(100);
        Assert.Equal(Noon.AddHours(1), Do(Move(5)).Postings[0].RecordedAt);
        Assert.Equal(Noon.AddHours(1), Do(Ask(5, 0, "after")).Movement!.UpdatedAt);
    }

    [Fact]
    public void Available_and_required_are_told_exactly()
    {
        Fund(1_000_000_000_000_000_001);
        var refusal = Do(Ask(1_000_000_000_000_000_000, 2)).Refusal!;
        Assert.Equal(RefusalCode.InsufficientBalance, refusal.Code);
        Assert.Equal(("1.000000000000000001", "1.000000000000000002", "ETH"),
            (refusal.Details!["available"], refusal.Details["required"], refusal.Details["currency"]));
        Assert.Null(Do(Ask(1_000_000_000_000_000_000, 1)).Refusal);
    }

    [Fact]
    public void Figures_end_at_38_digits_and_what_leads_beyond_changes_nothing()
    {
        Fund(Max - 5);
        Assert.Equal(RefusalCode.LimitExceeded, Do(Seen(6, 1)).Refusal?.Code);
        Assert.Null(Do(Seen(5, 1)).Refusal);
        Assert.Equal(RefusalCode.LimitExceeded, Do(Seen(Max, 1, "most")).Refusal?.Code);
        Assert.Equal(RefusalCode.LimitExceeded, Do(Seen(Int128.MaxValue, 1, "more")).Refusal?.Code);
        Assert.Equal(RefusalCode.InsufficientBalance, Do(Ask(Max, 0, "all")).Refusal?.Code);
        Assert.Equal(RefusalCode.LimitExceeded, Do(Ask(Int128.MaxValue, 1, "overflow")).Refusal?.Code);
        Assert.Equal(RefusalCode.LimitExceeded, Do(new Correct(Owner, Main, Eth, Reference.Of("min"), Int128.MinValue, null, "")).Refusal?.Code);
        Assert.Null(Do(Confirmed(0, 1)).Refusal);
        Expect(available: Max, deposited: Max);
        // The receiving side is bounded too.
        Fund(1, Other);
        Assert.Equal(RefusalCode.LimitExceeded, Do(Move(Max, "all of it")).Refusal?.Code);
        Assert.Null(Do(Move(Max - 1, "most of it")).Refusal);
        Assert.Equal(Max, balances[(Other, "ETH")].Available);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    public void Amounts_that_are_not_above_zero_are_refused(string text)
    {
        var amount = Int128.Parse(text, CultureInfo.InvariantCulture);
        Fund(100);
        Assert.Equal(RefusalCode.InvalidAmount, Do(Seen(amount, 1, "a")).Refusal?.Code);
        Assert.Equal(RefusalCode.InvalidAmount, Do(Ask(amount, 0, "b")).Refusal?.Code);
        Assert.Equal(RefusalCode.InvalidAmount, Do(Move(amount, "c")).Refusal?.Code);
        if (amount == 0) Assert.Equal(RefusalCode.InvalidAmount, Do(new Correct(Owner, Main, Eth, Same, 0, null, "")).Refusal?.Code);
    }

    [Fact]
    public void A_transfer_to_the_same_wallet_is_refused_and_a_correction_cannot_overdraw()
    {
        Fund(100);
        Assert.Equal(RefusalCode.InvalidRequest, Do(new Transfer(Owner, Main, Eth, Same, Main, 5, null)).Refusal?.Code);
        Assert.Equal(RefusalCode.InsufficientBalance, Do(new Correct(Owner, Main, Eth, Same, -101, null, "")).Refusal?.Code);
        Assert.Null(Do(new Correct(Owner, Main, Eth, Same, -100, null, "")).Refusal);
        Expect(deposited: 100, withdrawn: 100);
    }

    private void Restart()
    {
        balances.Clear();
        movements.Clear();
        postings.Clear();
        Fund(1_000);
    }

    private void Reach(Stage stage)
    {
        if (stage is Stage.Seen or Stage.Confirmed or Stage.Reversed) Do(Seen(10, 1));
        if (stage is Stage.Confirmed) Do(Confirmed(1, 1));
        if (stage is Stage.Reversed) Do(Reversed(1));
        if (stage is Stage.Requested or Stage.Settled or Stage.Failed) Do(Ask(10, 1));
        if (stage is Stage.Settled) Do(new SettleWithdrawal(Owner, Main, Eth, Same));
        if (stage is Stage.Failed) Do(new FailWithdrawal(Owner, Main, Eth, Same));
        if (stage is Stage.Transferred) Do(Move(10));
        if (stage is Stage.Corrected) Do(new Correct(Owner, Main, Eth, Same, 10, null, "by hand"));
    }

    private static Command Named(string name) => name switch
    {
        "seen 1" => Seen(10, 1),
        "seen 2" => Seen(12, 2),
        "seen other wallet" => Seen(10, 2) with { Wallet = Other },
        "seen other currency" => Seen(10, 2) with { Currency = Usdt },
        "confirmed 1" => Confirmed(1, 1),
        "confirmed 2" => Confirmed(1, 2),
        "confirmed other wallet" => Confirmed(1, 1) with { Wallet = Other },
        "reversed 1" => Reversed(1),
        "reversed 2" => Reversed(2),
        "reversed other wallet" => Reversed(1) with { Wallet = Other },
        "request" => Ask(10, 1),
        "request other amount" => Ask(11, 1),
        "request other destination" => Ask(10, 1) with { Destination = "elsewhere" },
        "settle" => new SettleWithdrawal(Owner, Main, Eth, Same),
        "settle other wallet" => new SettleWithdrawal(Owner, Other, Eth, Same),
        "settle for less" => new SettleWithdrawal(Owner, Main, Eth, Same, Fee: 0),
        "unsettle" => new UnsettleWithdrawal(Owner, Main, Eth, Same, Noon),
        "unsettle another time" => new UnsettleWithdrawal(Owner, Main, Eth, Same, Noon.AddSeconds(1)),
        "unsettle other wallet" => new UnsettleWithdrawal(Owner, Other, Eth, Same, Noon),
        "fail" => new FailWithdrawal(Owner, Main, Eth, Same),
        "fail other wallet" => new FailWithdrawal(Owner, Other, Eth, Same),
        "transfer" => Move(10),
        "transfer other amount" => Move(11),
        "transfer elsewhere" => Move(10) with { To = Wallet(3) },
        "correct" => new Correct(Owner, Main, Eth, Same, 10, null, "by hand"),
        "correct down" => new Correct(Owner, Main, Eth, Same, -10, null, "by hand"),
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };

    private static DepositSeen Seen(Int128 amount, int sighting, string? reference = null, DateTimeOffset? at = null) =>
        new(Owner, Main, Eth, Of(reference), amount, at ?? Noon, sighting);

    private static DepositConfirmed Confirmed(Int128 fee, int sighting, string? reference = null) =>
        new(Owner, Main, Eth, Of(reference), fee, sighting);

    private static DepositReversed Reversed(int sighting) => new(Owner, Main, Eth, Same, sighting);

    private static RequestWithdrawal Ask(Int128 amount, Int128 fee, string? reference = null) =>
        new(Owner, Main, Eth, Of(reference), amount, fee, "somewhere");

    private static Transfer Move(Int128 amount, string? reference = null) => new(Owner, Main, Eth, Of(reference), Other, amount, "moved");

    private static Reference Of(string? text) => text is null ? Same : Reference.Of(text);

    private void Fund(Int128 amount, WalletId? wallet = null) =>
        Assert.Null(Do(new Correct(Owner, wallet ?? Main, Eth, Reference.Of($"fund {ids}"), amount, null, "fund")).Refusal);

    private Decision Do(Command command)
    {
        var key = (command.Wallet, command.Currency.Code);
        var own = balances.GetValueOrDefault(key, Balance.Empty);
        var otherKey = command is Transfer transfer ? (transfer.To, command.Currency.Code) : default;
        var other = command is Transfer ? balances.GetValueOrDefault(otherKey, Balance.Empty) : null;
        var decision = Decide.On(command, movements.GetValueOrDefault(command.Reference), own, other, now,
            new MovementId(new Guid(++ids, 3, 3, new byte[8])));
        if (decision.Postings.Count == 0) return decision;
        balances[key] = decision.Own!;
        if (decision.Other is not null) balances[otherKey] = decision.Other;
        movements[command.Reference] = decision.Movement!;
        postings.AddRange(decision.Postings);
        return decision;
    }

    private void Expect(Int128 available = default, Int128 held = default, Int128 deposited = default, Int128 withdrawn = default,
        Int128 fees = default, Int128 deficit = default)
    {
        var balance = balances[(Main, "ETH")];
        Assert.Equal((available, held, deposited, withdrawn, fees, deficit, (Int128)0),
            (balance.Available, balance.Held, balance.Deposited, balance.Withdrawn, balance.Fees, balance.Deficit, balance.Incoming));
        Assert.Equal(balance.Total, balance.Deposited - balance.Withdrawn + balance.Transferred);
    }
}
