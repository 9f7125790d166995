using Coffer.Ledger;
using Coffer.Server.Events;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;

namespace Coffer.Server.Withdrawals;

/// <summary>
/// What the operator allows, decided in the ledger's own transactions: freezes, the address list, limits per withdrawal and per day, and
/// whether a withdrawal waits for an approval. Called by the ledger writers, after <see cref="WithdrawalGuest"/>, which knows repeated
/// requests: those are answered as they were, whatever is allowed by now.
///
/// Guarantees, for any number of writers and processes: after a freeze has committed no withdrawal is made; the withdrawals of a day never
/// come to more than its limit; what is cancelled, rejected or failed is given back to the day on which it counted. If the process dies,
/// a withdrawal and its place in the day's sum are there both or neither.
/// </summary>
internal sealed class PolicyGuest : ILedgerGuest
{
    public LedgerVisit? Enter(short shard, IReadOnlyList<Command> commands)
    {
        foreach (var command in commands)
        {
            if (command is FailWithdrawal or RequestWithdrawal { Companion: WithdrawalOrder })
                return new Visit(shard, commands);
        }

        return null;
    }

    private sealed class Visit(short shard, IReadOnlyList<Command> commands) : LedgerVisit
    {
        private readonly Dictionary<int, AccountPolicy> _policies = [];
        private readonly Dictionary<int, DateTimeOffset> _creations = [];
        private readonly Dictionary<DayKey, DaySum> _days = [];
        private readonly HashSet<DayKey> _stored = [];
        private readonly HashSet<DayKey> _changed = [];

        // As long as nobody has said otherwise: a shard without a gate is none that this migration knew.
        private bool _closed = true;

        public override void Load(Round round)
        {
            var orders = new List<int>();
            var returns = new List<int>();
            var days = new HashSet<DayKey>();
            for (var i = 0; i < commands.Count; i++)
            {
                if (commands[i] is FailWithdrawal)
                    returns.Add(i);
                else if (commands[i] is RequestWithdrawal { Companion: WithdrawalOrder })
                    orders.Add(i);
                else
                    continue;
                days.Add(Day(commands[i]));
            }

            if (orders.Count > 0)
            {
                round.LockGate(shard, frozen => _closed = frozen);
                round.LoadPolicies(shard, [.. orders.Select(Key)], (at, policy) => _policies[orders[at]] = policy);
            }

            if (returns.Count > 0)
            {
                round.LoadCreations(shard, [.. returns.Select(i => commands[i].Reference.DigestIn(commands[i].Account))],
                    (at, created) => _creations[returns[at]] = created);
            }

            List<DayKey> keys = [.. days.OrderBy(k => k.Account.Value).ThenBy(k => k.Currency, StringComparer.Ordinal)];
            round.LockDays(shard, keys, (key, sum) =>
            {
                _days[key] = sum;
                _stored.Add(key);
            });
        }

        public override Admission? Admit(int index, DateTimeOffset now)
        {
            if (commands[index] is not RequestWithdrawal { Companion: WithdrawalOrder order } request)
                return null;
            var policy = _policies.GetValueOrDefault(index);
            var limits = WithdrawalLimits.Of(request.Currency, policy?.Own);
            var (day, used) = Used(Day(request), now);
            order.NeedsApproval = limits.NeedsApproval(request.Amount);
            return (Frozen(policy) ?? NotListed(policy, now) ?? limits.Refuse(request.Currency, request.Amount, used, day)) is { } refusal
                ? new Admission(refusal) : null;
        }

        public override object? Decided(int index, Decision decision, List<NewEvent> events)
        {
            if (decision.Postings.Count == 0 || decision.Movement is not { } movement)
                return null;
            var key = Day(commands[index]);
            if (commands[index] is RequestWithdrawal { Companion: WithdrawalOrder })
            {
                var (day, used) = Used(key, movement.UpdatedAt);
                Keep(key, new DaySum(day, used > Amount.Max - movement.Amount ? Amount.Max : used + movement.Amount));
            }
            else if (commands[index] is FailWithdrawal && _creations.TryGetValue(index, out var created)
                && _days.TryGetValue(key, out var sum) && sum.Day == Of(created))
            {
                Keep(key, sum with { Amount = Int128.Max(sum.Amount - movement.Amount, 0) });
            }

            return null;
        }

        public override void Store(Round round)
        {
            List<(DayKey, DaySum)> fresh = [], locked = [];
            foreach (var key in _changed)
                (_stored.Contains(key) ? locked : fresh).Add((key, _days[key]));
            if (fresh.Count > 0)
                round.InsertDays(shard, fresh);
            if (locked.Count > 0)
                round.UpdateDays(shard, locked);
        }

        private PolicyKey Key(int index)
        {
            var request = (RequestWithdrawal)commands[index];
            return new PolicyKey(request.Account, request.Currency.Code, request.Currency.Network, request.Destination);
        }

        private Refusal? Frozen(AccountPolicy? policy) => _closed
            ? new(RefusalCode.AccountFrozen, "The operator has stopped all withdrawals for now; nothing was reserved. Ask him, or try later.",
                new Dictionary<string, object> { ["frozen"] = "all" })
            : policy is { Frozen: true }
                ? new(RefusalCode.AccountFrozen, "Withdrawals of this account are frozen; nothing was reserved. Ask the operator.",
                    new Dictionary<string, object> { ["frozen"] = "account" })
                : null;

        private static Refusal? NotListed(AccountPolicy? policy, DateTimeOffset now) => policy switch
        {
            null or { AddressesOnly: false } => null,
            { PayableAt: null } => new(RefusalCode.AddressNotAllowed,
                "This account pays only the addresses of its list, and this one is not on it. Ask the operator to add it."),
            { PayableAt: { } from } when from > now => new(RefusalCode.AddressNotAllowed,
                $"This address is on the account's list, but may be paid only from {Host.Wire.Time(from)} on. Send the request again then.",
                new Dictionary<string, object> { ["payable_at"] = Host.Wire.Time(from) }),
            _ => null,
        };

        /// <summary>The day that counts now and what it has seen. Never a day before the stored one: clocks of processes may differ.</summary>
        private DaySum Used(DayKey key, DateTimeOffset now) =>
            _days.TryGetValue(key, out var sum) && sum.Day >= Of(now) ? sum : new DaySum(Of(now), 0);

        private void Keep(DayKey key, DaySum sum)
        {
            _days[key] = sum;
            _changed.Add(key);
        }

        private static DayKey Day(Command command) => new(command.Account, command.Currency.Code);

        private static DateOnly Of(DateTimeOffset time) => DateOnly.FromDateTime(time.UtcDateTime);
    }
}
