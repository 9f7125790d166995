using System.Numerics;
using Coffer.Chains;
using Coffer.Server.Chain;

namespace Coffer.Tests.Rules;

/// <summary>Every way in which a payment is or is not credited, as a table.</summary>
public sealed class ExplainDepositTests
{
    private static readonly Currency _tether = new()
    {
        Code = "USDTERC20",
        Name = "Tether",
        Network = "ETH",
        Token = "USDT",
        Decimals = 6,
        Confirmations = 12,
    };

    private static readonly Observation _row = new()
    {
        TxId = "t",
        Kind = TransferKind.Token,
        Ordinal = 0,
        Height = 100,
        BlockHash = "h",
        BlockTime = DateTimeOffset.UnixEpoch,
        Address = "a",
        Shard = 0,
        Account = default,
        Wallet = default,
        Asset = "0xdac1",
        Currency = "USDTERC20",
        Amount = BigInteger.One,
    };

    private static readonly DepositFacts _none = new() { Cursor = 104, Start = 50, Currency = _tether };

    private static DepositFacts Row(string? reason = null, ObservationState state = ObservationState.Seen) =>
        _none with { Row = _row with { Reason = reason, State = state }, Ours = true };

    private static DepositFacts Node(TransactionState state, long? height, bool ours = true) =>
        _none with { Ours = ours, Transaction = new ChainTransaction("t", new(state, height, "h"), null, [], "node") };

    public static TheoryData<string, string, string> Reasons() => new()
    {
        { "unknown_currency", "contract 0xdac1 is none", "coffer chain rescan --from 100" },
        { "other_network", "given out for another network", "coffer correct" },
        { "below_minimum", "below the currency's minimum", "coffer chain rescan --from 100" },
        { "zero_amount", "moved nothing", "Nothing needs to be done" },
        { "amount_too_large", "beyond what the ledger can hold", "worthless token" },
        { "balance_too_large", "no room", "coffer chain rescan --from 100" },
        { "receiver_changed", "another wallet", "compare several nodes" },
    };

    [Theory]
    [MemberData(nameof(Reasons))]
    public void A_payment_that_is_kept_and_not_credited_says_why_and_what_to_do(string reason, string message, string toDo)
    {
        var told = ExplainDeposit.Of(Row(reason));
        Assert.Equal(reason, told.Status);
        Assert.StartsWith("Seen in block 100 and kept, but not credited: ", told.Message, StringComparison.Ordinal);
        Assert.Contains(message, told.Message, StringComparison.Ordinal);
        Assert.Contains(toDo, told.Operator, StringComparison.Ordinal);
        Assert.NotEmpty(told.Customer);
    }

    [Fact]
    public void A_payment_on_its_way_says_how_far_it_is()
    {
        Is("credited", "it is in block 100", Row(state: ObservationState.Confirmed));
        Is("confirming", "5 of 12 confirmations", Row());
        Is("confirming", "until the chain calls that block final", Row() with { Currency = _tether with { Finalized = true } });
        Is("orphaned", "no block has it now", Row(state: ObservationState.Orphaned));
        Is("orphaned", "it waits for another block", Node(TransactionState.Mempool, null) with { Row = Row(state: ObservationState.Orphaned).Row });
        Is("orphaned", "it is in block 110 now", Node(TransactionState.Included, 110) with { Row = Row(state: ObservationState.Orphaned).Row });
        Is("failed", "in its new block it failed", Node(TransactionState.Failed, 101) with { Row = Row(state: ObservationState.Orphaned).Row });
    }

    [Fact]
    public void A_payment_that_the_books_do_not_know_is_explained_by_what_a_node_says()
    {
        Is("mempool", "waits for a block", Node(TransactionState.Mempool, null));
        Is("failed", "in block 103 but failed", Node(TransactionState.Failed, 103));
        Is("not_reached", "in block 105; the chain was read up to block 104", Node(TransactionState.Included, 105));
        Is("not_reached", "not read yet", Node(TransactionState.Included, 105) with { Cursor = null, Start = null });
        Is("before_start", "followed from block 50 only", Node(TransactionState.Included, 50));
        Is("missed", "most likely the node did not tell", Node(TransactionState.Included, 51));
        Is("unknown_currency", "contract 0xbad is none", Node(TransactionState.Included, 51) with { Currency = null, Transfer = Moved("0xbad", 5) });
        Is("unknown_currency", "chain's own coin", Node(TransactionState.Included, 51) with { Currency = null, Transfer = Moved(null, 5) });
        Is("zero_amount", "moved nothing", Node(TransactionState.Included, 51) with { Transfer = Moved("0xdac1", 0) });
        Is("not_ours", "none of our addresses", Node(TransactionState.Included, 51, ours: false));
        Is("not_seen", "the node does not know", _none);
        Is("not_seen", "the node does not know", Node(TransactionState.Unknown, null));
        Is("not_seen", "no node could be asked: away", _none with { NodeFault = "away" });
    }

    [Fact]
    public void Our_books_come_before_what_a_node_says() =>
        Is("credited", "it is in block 100", Node(TransactionState.Failed, 100) with { Row = Row(state: ObservationState.Confirmed).Row });

    private static ChainTransfer Moved(string? asset, int amount) => new("t", TransferKind.Token, 0, "a", asset, amount);

    private static void Is(string status, string message, DepositFacts facts)
    {
        var told = ExplainDeposit.Of(facts);
        Assert.Equal(status, told.Status);
        Assert.Contains(message, told.Message, StringComparison.Ordinal);
    }
}
