using System.Runtime.InteropServices;

namespace Coffer.Ledger;

/// <summary>
/// Proves one balance after the other from its postings in the order of their versions: <see cref="Begin"/>, <see cref="Add"/> for
/// each posting, <see cref="Flow(DateTimeOffset, Ledger.Flow)"/> for each stored hour, <see cref="End"/> with the stored balance.
/// Keeps only one balance and its hours in memory. What one bad row entails further down is not reported again.
/// </summary>
/// <param name="report">Called for each bad row, in the order of the rows.</param>
public sealed class BalanceProof(Action<Finding> report)
{
    private readonly Dictionary<DateTimeOffset, Flow> _flows = [];
    private string _place = "";
    private BalanceKey? _key;
    private Balance _balance = Balance.Empty;

    /// <summary>The account that the postings name; null before the first posting.</summary>
    public AccountId? Account => _key?.Account;

    /// <summary>Starts a balance.</summary>
    /// <param name="place">Its key without the account, readable, for findings.</param>
    public void Begin(string place)
    {
        _flows.Clear();
        (_place, _key, _balance) = (place, null, Balance.Empty);
    }

    /// <summary>The next posting of this balance.</summary>
    public void Add(Posting posting)
    {
        try
        {
            Follow(posting);
        }
        catch (OverflowException)
        {
            Report(posting, "its amounts are beyond 38 digits");
        }
    }

    /// <summary>A stored hour of this balance and account; each hour once.</summary>
    public void Flow(DateTimeOffset hour, Flow stored)
    {
        var known = _flows.Remove(hour, out var proved);
        if (stored != proved)
            report(new Finding("flow_hour", Hour(hour),
                known ? $"stored are {Words(stored)}, its postings make {Words(proved)}" : "no posting made it"));
    }

    /// <summary>All postings and hours of this balance were given.</summary>
    /// <param name="stored">The stored balance of the same account, or null when there is none.</param>
    public void End(Balance? stored)
    {
        foreach (var (hour, flow) in _flows.Where(flow => flow.Value != default).OrderBy(flow => flow.Key))
            report(new Finding("flow_hour", Hour(hour), $"the row is missing; its postings make {Words(flow)}"));
        if (Wrong(stored) is { } problem)
            report(new Finding("balance", _place, problem));
    }

    private void Follow(Posting posting)
    {
        _key ??= posting.Key;
        if (Wrong(posting) is { } problem)
            Report(posting, problem);
        // The next row is judged by what this one claims, so that one bad row is one finding.
        _balance = new Balance
        {
            Available = posting.AvailableAfter,
            Incoming = posting.IncomingAfter,
            Held = posting.HeldAfter,
            Deposited = _balance.Deposited + posting.Deposited,
            Withdrawn = _balance.Withdrawn + posting.Withdrawn,
            Fees = _balance.Fees + posting.Fee,
            Transferred = _balance.Transferred - posting.Transfer,
            Deficit = _balance.Deficit - posting.Deficit,
            Version = posting.Version,
            LastMovementAt = posting.RecordedAt,
            HeadHash = posting.Hash,
        };
        var flow = posting.Flow;
        if (flow == default)
            return;
        ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(_flows, posting.Hour, out _);
        sum = new Flow(sum.Deposits + flow.Deposits, sum.Withdrawals + flow.Withdrawals,
            sum.DepositCount + flow.DepositCount, sum.WithdrawalCount + flow.WithdrawalCount);
    }

    private void Report(Posting posting, string problem) =>
        report(new Finding("posting", $"{_place} version {posting.Version}", problem));

    private string? Wrong(Posting posting)
    {
        if (posting.Version != _balance.Version + 1)
            return _balance.Version == 0
                ? "the posting with version 1 is missing"
                : $"the posting after version {_balance.Version} is missing";
        if (posting.Key != _key)
            return "it names another account than the posting before it";
        if (posting.Sum != 0)
            return $"its columns sum to {posting.Sum}, not to zero";
        if (posting.AvailableAfter != _balance.Available + posting.Available
            || posting.IncomingAfter != _balance.Incoming + posting.Incoming || posting.HeldAfter != _balance.Held + posting.Held)
            return "its after-values are not the previous ones plus its changes";
        if (posting.AvailableAfter < 0 || posting.IncomingAfter < 0 || posting.HeldAfter < 0 || posting.Deficit > _balance.Deficit)
            return "a part is negative after it";
        if (!PostingShape.Fits(posting))
            return $"its columns are not those of a {posting.Kind}";
        if (posting.RecordedAt < _balance.LastMovementAt || posting.EffectiveAt > posting.RecordedAt)
            return "its times are not in order";
        return posting.HashAfter(_balance.HeadHash).AsSpan().SequenceEqual(posting.Hash) ? null
            : "its hash does not follow from the previous posting's hash and its own fields";
    }

    private string? Wrong(Balance? stored)
    {
        if (stored is null)
            return _key is null ? null : "the row is missing; it has postings";
        if (_key is null)
            return "it has no postings";
        if (stored.Version != _balance.Version)
            return $"its version is {stored.Version}, its last posting's is {_balance.Version}";
        if (!stored.HeadHash.AsSpan().SequenceEqual(_balance.HeadHash))
            return "its hash is not that of its last posting";
        if (stored.Available < 0 || stored.Incoming < 0 || stored.Held < 0 || stored.Deficit < 0 || stored.Withdrawn < 0 || stored.Fees < 0)
            return "a part is negative";
        if (stored.Total != stored.Deposited - stored.Withdrawn + stored.Transferred)
            return "its total is not deposited less withdrawn plus transferred";
        return Differs("available", stored.Available, _balance.Available) ?? Differs("incoming", stored.Incoming, _balance.Incoming)
            ?? Differs("held", stored.Held, _balance.Held) ?? Differs("deposited", stored.Deposited, _balance.Deposited)
            ?? Differs("withdrawn", stored.Withdrawn, _balance.Withdrawn) ?? Differs("fees", stored.Fees, _balance.Fees)
            ?? Differs("transferred", stored.Transferred, _balance.Transferred) ?? Differs("deficit", stored.Deficit, _balance.Deficit)
            ?? (stored.LastMovementAt == _balance.LastMovementAt ? null : "its last movement is not when its last posting was recorded");
    }

    private static string? Differs(string column, Int128 stored, Int128 proved) =>
        stored == proved ? null : $"{column} is {stored}, its postings make {proved}";

    private string Hour(DateTimeOffset hour) => $"{_place} hour {hour:yyyy-MM-ddTHH}Z";

    private static string Words(Flow flow) =>
        $"{flow.Deposits} in ({flow.DepositCount}) and {flow.Withdrawals} out ({flow.WithdrawalCount})";
}
