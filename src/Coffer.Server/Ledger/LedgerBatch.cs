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

/// <summary>A balance that a batch touches: as it was when the batch began, and as its commands so far have left it.</summary>
internal sealed class BatchBalance(BalanceKey key)
{
    public BalanceKey Key { get; } = key;

    public Balance Balance { get; set; } = Balance.Empty;

    /// <summary>The version that it had at first; 0 when there was no such balance.</summary>
    public long VersionBefore { get; private set; }

    /// <summary>Where it was taken from, or will be kept; null when it was read, or is not there.</summary>
    public CacheSlot? Cached { get; set; }

    public void Loaded(Balance balance) => (Balance, VersionBefore) = (balance, balance.Version);
}

/// <summary>A movement that a batch touches.</summary>
internal sealed class BatchMovement(AccountId account, Reference reference, Guid digest)
{
    private Movement? _loaded;

    public AccountId Account { get; } = account;

    public Reference Reference { get; } = reference;

    /// <summary>The digest of its reference in its account.</summary>
    public Guid Digest { get; } = digest;

    /// <summary>Null while there is none with this reference.</summary>
    public Movement? Movement { get; private set; }

    /// <summary>The balance that it moves; null while nothing has changed it. Several commands may bring its reference, each for another wallet.</summary>
    public BatchBalance? Moved { get; private set; }

    public bool IsNew { get; private set; }

    /// <summary>Whether it had become something else than what it was made as, before this batch.</summary>
    public bool HadChanged { get; private set; }

    public void Loaded(Movement movement, bool changed) => (Movement, _loaded, HadChanged) = (movement, movement, changed);

    /// <summary>A value that must be stored with the change; null when it is still as the movement was made.</summary>
    public T? Changed<T>(Func<Movement, T> value)
        where T : struct, IEquatable<T> => !HadChanged && value(Movement!).Equals(value(_loaded!)) ? null : value(Movement!);

    public void Become(Movement movement, bool isNew, BatchBalance moved) => (Movement, IsNew, Moved) = (movement, IsNew || isNew, moved);
}

internal readonly record struct FlowRow(BalanceKey Key, DateTimeOffset Hour, Flow Flow);

/// <summary>
/// The memory of one ledger transaction: the balances and movements that its commands touch, as locked or remembered and as decided so far.
/// Commands are decided in order, each on what the ones before it left. Made anew for every try; only <see cref="Remember"/> outlives it.
/// </summary>
internal sealed class LedgerBatch
{
    private readonly IReadOnlyList<Command> _commands;
    private readonly LedgerCache? _cache;
    private readonly List<BatchBalance> _balances;
    private readonly List<BatchMovement> _movements = [];

    // For each command.
    private readonly BatchBalance[] _own;
    private readonly BatchBalance?[] _other;
    private readonly BatchMovement[] _movement;

    private readonly List<Posting> _postings = [];
    private readonly List<NewEvent> _events = [];

    /// <param name="commands">What is to be decided.</param>
    /// <param name="cache">What is remembered of the shard; null to read everything.</param>
    /// <param name="doubts">Commands, by index, for which nothing that is remembered may be believed.</param>
    public LedgerBatch(IReadOnlyList<Command> commands, LedgerCache? cache = null, IReadOnlyList<int>? doubts = null)
    {
        (_commands, _cache) = (commands, cache);
        (_own, _other, _movement) = (new BatchBalance[commands.Count], new BatchBalance?[commands.Count], new BatchMovement[commands.Count]);
        _balances = Balances();
        HashSet<BatchBalance> doubted = [];
        foreach (var index in doubts ?? [])
        {
            doubted.Add(_own[index]);
            if (_other[index] is { } other)
                doubted.Add(other);
        }

        foreach (var balance in _balances)
        {
            if (!doubted.Contains(balance) && cache?.Find(balance.Key) is { } cached)
            {
                balance.Cached = cached;
                balance.Loaded(cache.Read(cached));
            }
            else
            {
                ToLock.Add(balance);
            }
        }

        Movements();
    }

    /// <summary>The balances that must be read, in lock order.</summary>
    public List<BatchBalance> ToLock { get; } = [];

    /// <summary>The movements that must be read, if there are any with their references.</summary>
    public List<BatchMovement> ToRead { get; } = [];

    /// <summary>
    /// Commands, by index, whose outcome writes nothing and rests on what is only remembered, so that nothing proves it. Null for none.
    /// </summary>
    public List<int>? Doubts { get; private set; }

    public IReadOnlyList<Posting> Postings => _postings;

    /// <summary>What accounts are told of the commands, in their order.</summary>
    public IReadOnlyList<NewEvent> Events => _events;

    /// <summary>Decides one command on what is in memory and keeps what it changes.</summary>
    public Outcome Decide(int index, MovementId id, DateTimeOffset now, ReadOnlySpan<LedgerVisit> visits)
    {
        foreach (var visit in visits)
        {
            if (visit.Admit(index, now) is { } admission)
                return new Outcome(admission.Refusal, null, admission.Refusal is null) { Answer = admission.Answer };
        }

        var (own, other, movement) = (_own[index], _other[index], _movement[index]);
        var decision = Coffer.Ledger.Decide.On(_commands[index], movement.Movement, own.Balance, other?.Balance, now, id);
        object? answer = null;
        foreach (var visit in visits)
            answer = visit.Decided(index, decision, _events) is { } said ? answer ?? said : answer;
        if (decision.Postings.Count == 0 && (own.Cached is not null || other?.Cached is not null))
            (Doubts ??= []).Add(index);
        if (decision.Refusal is not null)
            return new Outcome(decision.Refusal, null, false);
        if (decision.Postings.Count > 0)
        {
            own.Balance = decision.Own!;
            if (other is not null)
                other.Balance = decision.Other!;
            movement.Become(decision.Movement!, decision.IsNew, own);
            _postings.AddRange(decision.Postings);
        }

        return new Outcome(null, decision.Movement, decision.Movement is not null && decision.Movement.Id != id && !decision.IsNew)
        {
            Own = decision.Own,
            Other = decision.Other,
            Answer = answer,
        };
    }

    /// <summary>Once the transaction has committed: hands what it left to the cache that it was made with.</summary>
    public void Remember()
    {
        if (_cache is null)
            return;
        foreach (var balance in _balances)
        {
            if (balance.Cached is { } slot)
                _cache.Write(slot, balance.Balance);
            else if (balance.Balance.Version > 0)
                balance.Cached = _cache.Add(balance.Key, balance.Balance);
        }

        foreach (var movement in _movements)
        {
            if (movement.Moved is { Cached: { } slot })
                _cache.Write(slot, movement.Digest, movement.Movement!, changed: !movement.IsNew);
        }
    }

    /// <summary>The balances that are another version now than before: those that were not there, and those that were.</summary>
    public (List<BatchBalance> New, List<BatchBalance> Changed) ChangedBalances()
    {
        List<BatchBalance> fresh = [], changed = [];
        foreach (var balance in _balances)
        {
            if (balance.Balance.Version != balance.VersionBefore)
                (balance.VersionBefore == 0 ? fresh : changed).Add(balance);
        }

        return (fresh, changed);
    }

    /// <summary>The movements that the batch made, and those that it changed, for the first time or again; each once, as they are now.</summary>
    public (List<BatchMovement> Made, List<BatchMovement> Changed, List<BatchMovement> ChangedAgain) ChangedMovements()
    {
        List<BatchMovement> made = [], changed = [], again = [];
        foreach (var movement in _movements)
        {
            if (movement.Moved is not null)
                (movement.IsNew ? made : movement.HadChanged ? again : changed).Add(movement);
        }

        return (made, changed, again);
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

    /// <summary>The balances that the commands concern, each once, in the order that every writer of every process locks in.</summary>
    private List<BatchBalance> Balances()
    {
        var balances = new Dictionary<BalanceKey, BatchBalance>(_commands.Count);
        BatchBalance Of(BalanceKey key)
        {
            ref var balance = ref CollectionsMarshal.GetValueRefOrAddDefault(balances, key, out _);
            return balance ??= new BatchBalance(key);
        }

        for (var i = 0; i < _commands.Count; i++)
        {
            var command = _commands[i];
            _own[i] = Of(new BalanceKey(command.Account, command.Currency.Code, command.Wallet));
            if (command is Transfer transfer)
                _other[i] = Of(new BalanceKey(command.Account, command.Currency.Code, transfer.To));
        }

        List<BatchBalance> sorted = [.. balances.Values];
        sorted.Sort(static (a, b) => a.Key.Account.Value.CompareTo(b.Key.Account.Value) is var account and not 0 ? account
            : string.CompareOrdinal(a.Key.Currency, b.Key.Currency) is var currency and not 0 ? currency
            : a.Key.Wallet.Value.CompareTo(b.Key.Wallet.Value));
        return sorted;
    }

    /// <summary>
    /// Takes the movements that are remembered, and believes that one which is to begin is new; the others must be read. A movement is
    /// believed only together with its balance.
    /// </summary>
    private void Movements()
    {
        var movements = new Dictionary<Guid, BatchMovement>(_commands.Count);
        var toRead = new HashSet<BatchMovement>();
        for (var i = 0; i < _commands.Count; i++)
        {
            var (command, own) = (_commands[i], _own[i]);
            var digest = command.Reference.DigestIn(command.Account);
            ref var movement = ref CollectionsMarshal.GetValueRefOrAddDefault(movements, digest, out _);
            if (movement is null)
                _movements.Add(movement = new BatchMovement(command.Account, command.Reference, digest));
            _movement[i] = movement;
            if (own.Cached is not { } slot)
                toRead.Add(movement);
            else if (_cache!.Open(slot, digest) is { } open)
                movement.Loaded(open.Movement, open.Changed);
            else if (command is not (DepositSeen or RequestWithdrawal or Transfer or Correct))
                toRead.Add(movement);
        }

        ToRead.AddRange(toRead);
    }
}
