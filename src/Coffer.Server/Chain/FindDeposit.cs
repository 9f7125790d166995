using System.Numerics;
using Coffer.Chains;
using Coffer.Server.Sql;

namespace Coffer.Server.Chain;

/// <summary>One payment of a transaction to one of our addresses, and where it stands.</summary>
internal sealed record FoundDeposit
{
    public required string Chain { get; init; }

    public required TransferKind Kind { get; init; }

    public required int Ordinal { get; init; }

    public required AccountId Account { get; init; }

    public required WalletId Wallet { get; init; }

    public required string Address { get; init; }

    public string? Asset { get; init; }

    public Currency? Currency { get; init; }

    public required BigInteger Amount { get; init; }

    public long? Height { get; init; }

    public required long Confirmations { get; init; }

    public required DepositExplained Explained { get; init; }
}

/// <summary>What was found of one transaction on one chain.</summary>
/// <param name="Chain">Which chain.</param>
/// <param name="TxId">In the chain's own spelling.</param>
/// <param name="Node">The node that knows it; null when none does or none was asked.</param>
/// <param name="Deposits">Its payments to the addresses in question.</param>
/// <param name="Nothing">What there is to say when there are none.</param>
internal sealed record FoundTransaction(
    string Chain, string TxId, string? Node, IReadOnlyList<FoundDeposit> Deposits, DepositExplained Nothing);

/// <summary>
/// Looks for a transaction in our books and, for what they do not know, at a node. Called for a customer, limited to his addresses, and
/// for the operator. Reads only.
/// </summary>
internal sealed class FindDeposit(Db db)
{
    /// <summary>How long a node is waited for.</summary>
    public static readonly TimeSpan NodeTime = TimeSpan.FromSeconds(5);

    /// <summary>Null when the text is no transaction id of this chain.</summary>
    /// <param name="followed">The chain.</param>
    /// <param name="text">The transaction id as somebody wrote it.</param>
    /// <param name="account">Whose addresses; null for all.</param>
    /// <param name="ct">Gives up.</param>
    public async Task<FoundTransaction?> On(FollowedChain followed, string text, AccountId? account, CancellationToken ct)
    {
        var chain = followed.Chain;
        if (chain.ReadTxId(text) is not { } txId)
            return null;
        var books = (await db.Books([chain.Id], ct)).FirstOrDefault();
        var rows = await db.DepositsIn(chain.Id, txId, ct);
        rows.RemoveAll(row => account is { } whose && row.Account != whose);
        var (transaction, fault) = await NodeQuestion.Ask(NodeTime,
            $"{chain.Id}: no node answered within {NodeTime.TotalSeconds} seconds.", token => chain.Transaction(txId, token), ct);
        var facts = new DepositFacts { Transaction = transaction, NodeFault = fault, Cursor = books?.Cursor.Height, Start = books?.Start };
        var deposits = rows.Select(row => OfRow(followed, facts, row)).ToList();
        var known = rows.Select(row => (row.Kind, row.Ordinal)).ToHashSet();
        foreach (var (transfer, address) in await Ours(followed.Family, transaction, account, ct))
            if (!known.Contains((transfer.Kind, transfer.Ordinal)))
                deposits.Add(OfTransfer(followed, facts, transfer, address));
        return new FoundTransaction(chain.Id, txId, transaction?.Node, deposits, ExplainDeposit.Of(facts));
    }

    private async Task<List<(ChainTransfer Transfer, WatchedAddress Address)>> Ours(
        string family, ChainTransaction? transaction, AccountId? account, CancellationToken ct)
    {
        if (transaction is null || transaction.Transfers.Count == 0)
            return [];
        string[] addresses = [.. transaction.Transfers.Select(transfer => transfer.Address).Distinct()];
        var ours = (await db.WatchedOf(family, addresses, account, ct)).ToDictionary(address => address.Address);
        return [.. transaction.Transfers.Where(transfer => ours.ContainsKey(transfer.Address))
            .Select(transfer => (transfer, ours[transfer.Address]))];
    }

    private static FoundDeposit OfRow(FollowedChain followed, DepositFacts facts, Observation row)
    {
        var moved = new ChainTransfer(row.TxId, row.Kind, row.Ordinal, row.Address, row.Asset, row.Amount);
        var currency = followed.CurrencyOf(moved);
        return new FoundDeposit
        {
            Chain = followed.Chain.Id,
            Kind = row.Kind,
            Ordinal = row.Ordinal,
            Account = row.Account,
            Wallet = row.Wallet,
            Address = row.Address,
            Asset = row.Asset,
            Currency = currency,
            Amount = row.Amount,
            Height = row.State == ObservationState.Orphaned ? null : row.Height,
            Confirmations = ExplainDeposit.Confirmations(row, facts.Cursor),
            Explained = ExplainDeposit.Of(facts with { Row = row, Ours = true, Currency = currency }),
        };
    }

    private static FoundDeposit OfTransfer(FollowedChain followed, DepositFacts facts, ChainTransfer transfer, WatchedAddress address) => new()
    {
        Chain = followed.Chain.Id,
        Kind = transfer.Kind,
        Ordinal = transfer.Ordinal,
        Account = address.Account,
        Wallet = address.Wallet,
        Address = transfer.Address,
        Asset = transfer.Asset,
        Currency = followed.CurrencyOf(transfer),
        Amount = transfer.Amount,
        Height = facts.Transaction?.Status.Height,
        Confirmations = 0,
        Explained = ExplainDeposit.Of(facts with { Ours = true, Currency = followed.CurrencyOf(transfer), Transfer = transfer }),
    };
}
