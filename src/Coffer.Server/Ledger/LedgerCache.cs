using System.Runtime.InteropServices;
using Coffer.Ledger;

namespace Coffer.Server.Ledger;

/// <summary>Where a <see cref="LedgerCache"/> keeps a balance, for as long as it keeps it.</summary>
internal readonly record struct CacheSlot(int Index, int Generation);

/// <summary>A movement that has not ended, remembered with its balance.</summary>
/// <param name="Changed">Whether it has become something else since it was made.</param>
internal readonly record struct OpenMovement(CacheSlot Slot, Movement Movement, bool Changed);

/// <summary>
/// What a ledger writer remembers of its shard, so that it need not read and lock what it wrote itself. Used by the writer's loop alone.
///
/// Guarantees: nothing is decided wrongly because of it. A balance is kept as it was committed, and its movements only together with it: each
/// change of a movement makes a posting of its balance. If somebody else has written meanwhile, the posting's key refuses ours, for it has the
/// same version; and a movement that was believed to be new is refused by its reference. What writes nothing, as a refusal does, proves
/// nothing, so it is decided again on what was read. Whenever a transaction fails, all is forgotten, and for some transactions everything is
/// read and locked: twice as many each time, so that two servers that write the same shard do not stand in each other's way. All is forgotten
/// too when a connection was opened: the database may be a standby that lost the last commits, and must not be continued from memory.
///
/// If the process dies here: the next one knows nothing and reads.
/// </summary>
internal sealed class LedgerCache
{
    /// <summary>Balances that the writers of one process remember together, some 300 bytes each; as many open movements at most.</summary>
    public const int ProcessMax = 131_072;

    /// <summary>Transactions without the cache after the last of many failures.</summary>
    public const int PauseMax = 1_024;

    private const int EntriesAtFirst = 256;

    private readonly int _max;
    private readonly Dictionary<BalanceKey, int> _slots = [];
    private readonly Dictionary<Guid, OpenMovement> _open = [];

    // Values, not objects: a hundred thousand objects that live long and change all the time are what a garbage collector is slowest with.
    private Entry[] _entries = [];
    private int _hand;
    private int _pause;
    private int _nextPause = 1;
    private int _kept;
    private int _opened;

    /// <param name="max">How many balances to remember, and how many open movements.</param>
    public LedgerCache(int max) => _max = max;

    /// <summary>Whether what is here may be used now; asked by a transaction that has its connection.</summary>
    /// <param name="opened"><see cref="Sql.Db.Opened"/>.</param>
    public bool MayUse(int opened)
    {
        if (opened != _opened)
            Forget();
        _opened = opened;
        return _pause == 0 && _max > 0;
    }

    /// <summary>Where the balance is remembered; null if it is not.</summary>
    public CacheSlot? Find(BalanceKey key)
    {
        if (!_slots.TryGetValue(key, out var index))
            return null;
        _entries[index].Used = true;
        return new CacheSlot(index, _entries[index].Generation);
    }

    /// <summary>The balance that <see cref="Find"/> has found just now.</summary>
    public Balance Read(CacheSlot slot) => _entries[slot.Index].Read();

    /// <summary>Remembers what a balance has become; nothing happens when the slot is another's by now.</summary>
    public void Write(CacheSlot slot, Balance balance)
    {
        ref var entry = ref _entries[slot.Index];
        if (entry.Generation == slot.Generation)
            entry.Write(balance);
    }

    /// <summary>Remembers a balance that was read or made; what was known of its movements is forgotten.</summary>
    public CacheSlot Add(BalanceKey key, Balance balance)
    {
        if (!_slots.TryGetValue(key, out var index))
            _slots[key] = index = _slots.Count < _max ? _slots.Count : Free();
        if (index >= _entries.Length)
            Array.Resize(ref _entries, Math.Min(_max, Math.Max(EntriesAtFirst, index * 2)));
        ref var entry = ref _entries[index];
        entry.Key = key;
        entry.Used = true;
        entry.Write(balance);
        return new CacheSlot(index, ++entry.Generation);
    }

    /// <summary>The movement, if it is remembered with the balance that <see cref="Find"/> has found just now.</summary>
    public OpenMovement? Open(CacheSlot slot, Guid digest) => _open.TryGetValue(digest, out var open) && open.Slot == slot ? open : null;

    /// <summary>Remembers a movement until it has ended.</summary>
    /// <param name="changed">Whether it has become something else since it was made.</param>
    public void Write(CacheSlot slot, Guid digest, Movement movement, bool changed)
    {
        if (movement.State is not (MovementState.Seen or MovementState.Requested))
        {
            _open.Remove(digest);
            return;
        }

        if (_open.Count >= _max)
            _open.Clear();
        _open[digest] = new OpenMovement(slot, movement, changed);
    }

    /// <summary>After a transaction that committed at its first try.</summary>
    public void Committed()
    {
        if (_pause > 0)
        {
            _pause--;
        }
        else if (++_kept >= PauseMax)
        {
            _nextPause = 1;
            _kept = 0;
        }
    }

    /// <summary>After a transaction that failed, for whatever reason.</summary>
    public void Failed()
    {
        Forget();
        (_kept, _pause) = (0, _nextPause);
        _nextPause = Math.Min(_nextPause * 2, PauseMax);
    }

    private void Forget()
    {
        _slots.Clear();
        _open.Clear();
    }

    /// <summary>Takes the next slot that was not used since the hand came by.</summary>
    private int Free()
    {
        for (; ; _hand = (_hand + 1) % _max)
        {
            ref var entry = ref _entries[_hand];
            if (entry.Used)
            {
                entry.Used = false;
                continue;
            }

            _slots.Remove(entry.Key);
            return _hand;
        }
    }

    private struct Entry
    {
        public BalanceKey Key;
        public int Generation;
        public bool Used;
        private Int128 _available, _incoming, _held, _deposited, _withdrawn, _fees, _transferred, _deficit;
        private long _version, _movedTicks;
        private UInt128 _hash;

        public readonly Balance Read()
        {
            var hash = new byte[Balance.HashBytes];
            MemoryMarshal.Write(hash, _hash);
            return new Balance
            {
                Available = _available,
                Incoming = _incoming,
                Held = _held,
                Deposited = _deposited,
                Withdrawn = _withdrawn,
                Fees = _fees,
                Transferred = _transferred,
                Deficit = _deficit,
                Version = _version,
                LastMovementAt = new DateTimeOffset(_movedTicks, TimeSpan.Zero),
                HeadHash = hash,
            };
        }

        public void Write(Balance balance)
        {
            (_available, _incoming, _held) = (balance.Available, balance.Incoming, balance.Held);
            (_deposited, _withdrawn, _fees) = (balance.Deposited, balance.Withdrawn, balance.Fees);
            (_transferred, _deficit) = (balance.Transferred, balance.Deficit);
            (_version, _movedTicks) = (balance.Version, balance.LastMovementAt.UtcTicks);
            _hash = MemoryMarshal.Read<UInt128>(balance.HeadHash);
        }
    }
}
