using System.Globalization;
using Coffer.Chains;

namespace Coffer.Server.Chain;

/// <summary>What is known of one payment, from our own books and from a node.</summary>
internal sealed record DepositFacts
{
    /// <summary>Our row; null when the follower has seen no such payment to one of our addresses.</summary>
    public Observation? Row { get; init; }

    /// <summary>What a node says of the transaction; null when it does not know it, or was not asked or did not answer.</summary>
    public ChainTransaction? Transaction { get; init; }

    /// <summary>Whether the transaction pays one of the addresses in question.</summary>
    public bool Ours { get; init; }

    /// <summary>Why no node answered; null when one did.</summary>
    public string? NodeFault { get; init; }

    /// <summary>The currency that it is in; null when this server does not keep it.</summary>
    public Currency? Currency { get; init; }

    /// <summary>What the transaction says it moves to us, where there is no row.</summary>
    public ChainTransfer? Transfer { get; init; }

    /// <summary>How far the chain was followed; null: not at all yet.</summary>
    public long? Cursor { get; init; }

    /// <summary>The first block that was followed; nothing in it or below was credited.</summary>
    public long? Start { get; init; }
}

/// <summary>Where a payment stands, in one word of the wire, and what that means.</summary>
/// <param name="Status">The word; it stays.</param>
/// <param name="Message">What is the case, for anybody.</param>
/// <param name="Customer">What the customer can do.</param>
/// <param name="Operator">What the operator can do.</param>
internal sealed record DepositExplained(string Status, string Message, string Customer, string Operator);

/// <summary>
/// "Where is my deposit?" decided from facts alone. What our own books say comes first: only they decide what is credited. A node
/// explains what the books do not know.
/// </summary>
internal static class ExplainDeposit
{
    private const string Nothing = "Nothing needs to be done.";
    private const string Ask = "Ask the operator, quoting the transaction id.";

    public static DepositExplained Of(DepositFacts facts) => facts switch
    {
        { Row: { } row } => OfRow(facts, row),
        { Transaction: { } transaction, Ours: true } => OfNode(facts, transaction),
        { Transaction: not null } => new("not_ours", "The transaction pays none of our addresses.",
            "Check the receiving address with whoever sent it.", "Compare the receiver with the address that the customer was shown."),
        { NodeFault: { } fault } => new("not_seen", $"No block that was followed holds it, and no node could be asked: {fault}",
            "Ask again later.", "Get the node to answer: see `coffer chain status`."),
        _ => new("not_seen", "No block that was followed holds it, and the node does not know the transaction.",
            "Check the transaction id and the network; a payment that was just sent may take minutes to be seen.",
            "Check the transaction id, and on which network it was sent: see `coffer chain status` for the chains that are followed."),
    };

    /// <summary>Blocks from the one that holds it up to where the chain was followed.</summary>
    public static long Confirmations(Observation row, long? cursor) =>
        row.State == ObservationState.Orphaned || cursor is null ? 0 : Math.Max(0, cursor.Value - row.Height + 1);

    private static DepositExplained OfRow(DepositFacts facts, Observation row) => row switch
    {
        { State: ObservationState.Confirmed } => new("credited", $"Credited; it is in block {Number(row.Height)}.", Nothing, Nothing),
        { State: ObservationState.Orphaned } => OfOrphan(facts, row),
        { Reason: { } reason } => OfReason(facts, row, reason),
        _ => new("confirming", facts.Currency is { Finalized: true }
                ? $"Seen in block {Number(row.Height)}; it counts as incoming until the chain calls that block final."
                : $"Seen in block {Number(row.Height)}; it has {Number(Confirmations(row, facts.Cursor))} of "
                    + $"{Number(facts.Currency?.Confirmations ?? 0)} confirmations and counts as incoming until then.",
            "Wait for the confirmations.", Nothing),
    };

    private static DepositExplained OfReason(DepositFacts facts, Observation row, string reason)
    {
        var seen = $"Seen in block {Number(row.Height)} and kept, but not credited: ";
        return reason switch
        {
            "unknown_currency" => UnknownCurrency(seen, row.Asset, Number(row.Height)),
            "other_network" => new(reason, seen + "the address was given out for another network.", Ask,
                "The key is the same on both networks, so the coins can be moved: do so, then `coffer correct`."),
            "below_minimum" => new(reason, seen + "it is below the currency's minimum.",
                "Send at least the minimum that GET /currencies/ says, in one payment.",
                "To credit it anyway lower deposit_minimum, start again and run "
                + $"`coffer chain rescan --from {Number(row.Height)}`; or `coffer correct`."),
            "zero_amount" => ZeroAmount(seen),
            "amount_too_large" => new(reason, seen + "the amount is beyond what the ledger can hold.", Ask,
                "Most likely a worthless token; look at its contract. Nothing of this size can be booked."),
            "balance_too_large" => new(reason, seen + "the balance has no room for it.", Ask,
                $"Move the balance to another wallet, then `coffer chain rescan --from {Number(row.Height)}`."),
            "receiver_changed" => new(reason, seen + "it was seen before for another wallet or in another currency.", Ask,
                "A node has lied, or the same transaction pays somebody else now: compare several nodes, then `coffer correct`."),
            _ => new(reason, seen + $"{reason}.", Ask, "Look at the row in chain_deposit."),
        };
    }

    private static DepositExplained UnknownCurrency(string where, string? asset, string block) => new("unknown_currency",
        where + (asset is not null
            ? $"the token with the contract {asset} is none that this server keeps."
            : "this server does not keep the chain's own coin."),
        "Only the currencies of GET /currencies/ are credited, whatever a token calls itself. " + Ask,
        $"If the token is genuine and wanted, add it to the currency file, start again and run `coffer chain rescan --from {block}`.");

    private static DepositExplained ZeroAmount(string where) => new("zero_amount",
        where + "it moved nothing. Such transfers are made to plant look-alike addresses in histories.", "Copy no address from it.", Nothing);

    private static DepositExplained OfOrphan(DepositFacts facts, Observation row)
    {
        var gone = $"Its block {Number(row.Height)} is no part of the chain any more, so what it gave was taken back; ";
        return facts.Transaction?.Status switch
        {
            { State: TransactionState.Mempool } => new("orphaned", gone + "it waits for another block.", "Wait for the next blocks.", Nothing),
            { State: TransactionState.Included, Height: { } height } => new("orphaned",
                gone + $"it is in block {Number(height)} now, which was not read yet.", "Wait for the confirmations.", Nothing),
            { State: TransactionState.Failed } => new("failed", gone + "in its new block it failed.",
                "Ask the sender to pay again.", Nothing),
            _ => new("orphaned", gone + "no block has it now.", "Ask the sender whether it was replaced or must be sent again.",
                "It is credited by itself if it comes back."),
        };
    }

    private static DepositExplained OfNode(DepositFacts facts, ChainTransaction transaction)
    {
        var status = transaction.Status;
        var block = status.Height is { } at ? Number(at) : "?";
        return status.State switch
        {
            TransactionState.Mempool => new("mempool", "It waits for a block; nothing is credited before it has one.",
                "Wait. If it takes long, the sender may have paid too low a fee.", Nothing),
            TransactionState.Failed => new("failed", $"It is in block {block} but failed: it moved nothing.",
                "Ask the sender to pay again.", Nothing),
            TransactionState.Unknown => Of(facts with { Transaction = null }),
            _ when facts.Cursor is not { } cursor || status.Height > cursor => new("not_reached",
                facts.Cursor is { } here
                    ? $"It is in block {block}; the chain was read up to block {Number(here)} so far."
                    : $"It is in block {block}; the chain was not read yet.",
                "Wait a moment.", "See `coffer chain status` for what holds up the chain."),
            _ when status.Height <= facts.Start => new("before_start",
                $"It is in block {block}, and the chain was followed from block {Number(facts.Start.Value)} only.", Ask,
                $"Run `coffer chain rescan --from {block}`."),
            _ when facts.Currency is null => UnknownCurrency($"It is in block {block}, but not credited: ", facts.Transfer?.Asset, block),
            _ when facts.Transfer is { Amount.IsZero: true } => ZeroAmount($"It is in block {block}, but not credited: "),
            _ => new("missed", $"It is in block {block}, which was followed, but it was not found there: most likely the node did not tell.",
                Ask, $"Run `coffer chain rescan --from {block}` with a node that is complete."),
        };
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
