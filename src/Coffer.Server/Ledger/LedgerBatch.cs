using System.Runtime.InteropServices;
using Coffer.Ledger;
using Coffer.Server.Events;

namespace Coffer.Server.Ledger;

/// <summary>What a command came to.</summary>
/// <param name="Refusal">Why not; null when it was accepted.</param>
/// <param name="Movement">The movement as it was right after the command; null for a refusal or when there was nothing to undo.</param>
/// <param name="Replayed">Whether an earlier command with this reference had made the movement already.</param>
internal readonly record struct Outcome(Refusal? Refusal, Movement? Movement, bool Replayed)
{
    /// <summary>The balance of the command's wallet after it; null for a refusal.</summary>
    public Balance? Own { get; init; }

    /// <summary>Transfers: the balance of the receiving wallet after it.</summary>
    public Balance? Other { get; init; }

    /// <summary>What a guest of the transaction (<see cref="ILedgerGuest"/>) has to say; null for nothing.</summary>
    public object? Answer { get; init; }

    /// <summary>The movement, or the refusal thrown.</summary>
    public Movement Accepted() => Movement ?? throw new Refused(Refusal ?? Coffer.Refusal.NotFound("movement"));
}

internal readonly record struct ChangedBalance(BalanceKey Key, Balance Balance);

internal readonly record struct ChangedMovement(Movement Movement, Guid Digest);

internal readonly record struct AccountReference(AccountId Account, Reference Reference, Guid Digest);

internal readonly record struct FlowRow(BalanceKey Key, DateTimeOffset Hour, Flow Flow);

/// <summary>
/// The memory of one ledger transaction: the balances and movements that its commands touch, as locked and as decided so far.
/// Commands are decided in order, each on what the ones before it left. Made anew for every try; nothing outlives the transaction.
/// </summary>
internal sealed class LedgerBatch
{
    private readonly IReadOnlyList<Command> _commands;
    private readonly Guid[] _digests;
    private readonly Dictionary<BalanceKey, Balance> _balances;
    private readonly Dictionary<BalanceKey, long> _lockedVersions = [];
    private readonly Dictionary<Guid, Movement> _movements = [];
    private readonly Dictionary<MovementId, (ChangedMovement Row, bool IsNew)> _changed = [];
    private readonly List<Posting> _postings = [];
    private readonly List<NewEvent> _events = [];

    public LedgerBatch(IReadOnlyList<Command> commands)
    {
        var keys = new HashSet<BalanceKey>(commands.Count);
        var references = new Dictionary<Guid, AccountReference>(commands.Count);
        _commands = commands;
        _digests = new Guid[commands.Count];
        for (var i = 0; i < commands.Count; i++)
        {
            var command = commands[i];
            keys.Add(OwnKey(command));
            if (command is Transfer transfer)
                keys.Add(OtherKey(transfer));
            var digest = _digests[i] = command.Reference.DigestIn(command.Account);
            references[digest] = new AccountReference(command.Account, command.Reference, digest);
        }

        Keys = [.. keys];
        // Every writer of every process locks in this order.
        Keys.Sort(static (a, b) => a.Account.Value.CompareTo(b.Account.Value) is var account and not 0 ? account
            : string.CompareOrdinal(a.Currency, b.Currency) is var currency and not 0 ? currency
            : a.Wallet.Value.CompareTo(b.Wallet.Value));
        References = [.. references.Values];
        _balances = new Dictionary<BalanceKey, Balance>(Keys.Count);
    }

    /// <summary>The balances that the commands concern, in lock order.</summary>
    public List<BalanceKey> Keys { get; }

    /// <summary>The references that the commands bring.</summary>
    public List<AccountReference> References { get; }

    public IReadOnlyList<Posting> Postings => _postings;

    /// <summary>What accounts are told of the commands, in their order.</summary>
    public IReadOnlyList<NewEvent> Events => _events;

    public void Loaded(BalanceKey key, Balance balance)
    {
        _balances[key] = balance;
        _lockedVersions[key] = balance.Version;
    }

    public void Loaded(Guid digest, Movement movement) => _movements[digest] = movement;

    /// <summary>Decides one command on what is in memory and keeps what it changes.</summary>
    public Outcome Decide(int index, MovementId id, DateTimeOffset now, ReadOnlySpan<LedgerVisit> visits)
    {
        foreach (var visit in visits)
        {
            if (visit.Admit(index, now) is { } admission)
                return new Outcome(admission.Refusal, null, admission.Refusal is null) { Answer = admission.Answer };
        }

        var command = _commands[index];
        var ownKey = OwnKey(command);
        var own = _balances.GetValueOrDefault(ownKey, Balance.Empty);
        var other = command is Transfer transfer ? _balances.GetValueOrDefault(OtherKey(transfer), Balance.Empty) : null;
        var existing = _movements.GetValueOrDefault(_digests[index]);
        var decision = Coffer.Ledger.Decide.On(command, existing, own, other, now, id);
        object? answer = null;
        foreach (var visit in visits)
            answer = visit.Decided(index, decision, _events) is { } said ? answer ?? said : answer;
        if (decision.Refusal is not null)
            return new Outcome(decision.Refusal, null, false);
        if (decision.Postings.Count > 0)
            Keep(command, _digests[index], ownKey, decision);
        return new Outcome(null, decision.Movement, decision.Movement is not null && decision.Movement.Id != id && !decision.IsNew)
        {
            Own = decision.Own,
            Other = decision.Other,
            Answer = answer,
        };
    }

    /// <summary>The balances that are another version now than when they were locked: those that were not there, and those that were.</summary>
    public (List<ChangedBalance> New, List<ChangedBalance> Changed) ChangedBalances()
    {
        List<ChangedBalance> fresh = [], changed = [];
        foreach (var key in Keys)
        {
            if (!_balances.TryGetValue(key, out var balance))
                continue;
            var locked = _lockedVersions.GetValueOrDefault(key);
            if (balance.Version != locked)
                (locked == 0 ? fresh : changed).Add(new ChangedBalance(key, balance));
        }

        return (fresh, changed);
    }

    /// <summary>The movements that are new, and those that are in another state, each once, as they are now.</summary>
    public (List<ChangedMovement> New, List<ChangedMovement> Changed) ChangedMovements()
    {
        List<ChangedMovement> fresh = [], changed = [];
        foreach (var (movement, isNew) in _changed.Values)
            (isNew ? fresh : changed).Add(movement);
        return (fresh, changed);
    }

    /// <summary>What the postings add to each hour, one row per key and hour; hours that nothing flowed in are left out.</summary>
    public List<FlowRow> Flows()
    {
        var sums = new Dictionary<(BalanceKey, DateTimeOffset), Flow>();
        foreach (var posting in _postings)
        {
            var flow = posting.Flow;
            if (flow == default)
                continue;
            ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(sums, (posting.Key, posting.Hour), out _);
            sum = new Flow(sum.Deposits + flow.Deposits, sum.Withdrawals + flow.Withdrawals,
                sum.DepositCount + flow.DepositCount, sum.WithdrawalCount + flow.WithdrawalCount);
        }

        return [.. sums.Select(s => new FlowRow(s.Key.Item1, s.Key.Item2, s.Value))];
    }

    private void Keep(Command command, Guid digest, BalanceKey ownKey, Decision decision)
    {
        var movement = decision.Movement!;
        _balances[ownKey] = decision.Own!;
        if (decision.Other is not null)
            _balances[OtherKey((Transfer)command)] = decision.Other;
        _movements[digest] = movement;
        var isNew = decision.IsNew || (_changed.TryGetValue(movement.Id, out var earlier) && earlier.IsNew);
        _changed[movement.Id] = (new ChangedMovement(movement, digest), isNew);
        _postings.AddRange(decision.Postings);
    }

    private static BalanceKey OwnKey(Command command) => new(command.Account, command.Currency.Code, command.Wallet);

    private static BalanceKey OtherKey(Transfer command) => new(command.Account, command.Currency.Code, command.To);
}
