using Coffer.Ledger;
using Coffer.Server.Events;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;

namespace Coffer.Server.Withdrawals;

/// <summary>
/// The rows of withdrawals in the ledger's own transactions: a withdrawal is made with its reservation, and ends, or returns from its
/// end, with the posting that says so. Called by the ledger writers.
///
/// Guarantees, for any number of writers and processes: a custom_id is one withdrawal, an Idempotency-Key is one withdrawal and one
/// answer; the state of a row and what the ledger holds for it never disagree. If the process dies, neither has happened or both have.
/// </summary>
internal sealed class WithdrawalGuest : ILedgerGuest
{
    public LedgerVisit? Enter(short shard, IReadOnlyList<Command> commands)
    {
        foreach (var command in commands)
        {
            if (command is RequestWithdrawal or SettleWithdrawal or UnsettleWithdrawal or FailWithdrawal)
                return new Visit(shard, commands);
        }

        return null;
    }

    private sealed class Visit(short shard, IReadOnlyList<Command> commands) : LedgerVisit
    {
        // By name: what is stored, and what earlier commands of this transaction made.
        private readonly Dictionary<(AccountId, string), Withdrawal> _byKey = [];
        private readonly Dictionary<(AccountId, string), Withdrawal> _byCustomId = [];
        private readonly Dictionary<MovementId, Withdrawal> _rows = [];
        private readonly List<Withdrawal> _new = [];
        private readonly List<Withdrawal> _changed = [];

        public override void Load(Round round)
        {
            var keys = new HashSet<(AccountId, string)>();
            var customIds = new HashSet<(AccountId, string)>();
            var steps = new SortedSet<(Guid Account, Guid Id)>();
            foreach (var command in commands)
            {
                var order = command.Companion as WithdrawalOrder;
                if (order?.IdempotencyKey is { } key)
                    keys.Add((command.Account, key));
                if (order?.CustomId is { } customId)
                    customIds.Add((command.Account, customId));
                if (command.Companion is WithdrawalStep step)
                    steps.Add((command.Account.Value, step.Id.Value));
            }

            if (keys.Count > 0)
                round.FindByKeys(shard, [.. keys], row => _byKey[(row.Account, row.IdempotencyKey!)] = row);
            if (customIds.Count > 0)
                round.FindByCustomIds(shard, [.. customIds], row => _byCustomId[(row.Account, row.CustomId!)] = row);
            if (steps.Count > 0)
                round.LockWithdrawals(shard, [.. steps], row => _rows[row.Id] = row);
        }

        public override Admission? Admit(int index, DateTimeOffset now) => commands[index].Companion switch
        {
            WithdrawalOrder order => Admit(commands[index].Account, order),
            WithdrawalStep step => Admit(step),
            _ => null,
        };

        public override object? Decided(int index, Decision decision, List<NewEvent> events)
        {
            if (decision.Postings.Count == 0 || decision.Movement is not { Kind: MovementKind.Withdrawal } movement)
                return null;
            var row = commands[index] is RequestWithdrawal request
                ? request.Companion is WithdrawalOrder order ? Make(order, movement) : null
                : Change(movement, commands[index].Companion as WithdrawalStep);
            if (row is not null)
                events.Add(WithdrawalEvent.Of(row, commands[index].Currency));
            return row;
        }

        public override void Store(Round round)
        {
            if (_new.Count > 0)
                round.Insert(shard, _new);
            foreach (var row in _changed)
                round.Finish(row);
        }

        private Admission? Admit(AccountId account, WithdrawalOrder order)
        {
            if (order.IdempotencyKey is { } key && _byKey.TryGetValue((account, key), out var earlier))
            {
                return earlier.Request is null || earlier.Request == order.Request
                    ? new Admission(null, earlier)
                    : new Admission(new(RefusalCode.IdempotencyKeyReused,
                        "This Idempotency-Key came before with another request. Send a new key with a new request."));
            }

            return order.CustomId is { } customId && _byCustomId.ContainsKey((account, customId))
                ? new Admission(new(RefusalCode.Conflict, "This custom_id belongs to an earlier withdrawal of this account. "
                    + "Find it with GET /withdrawal/?custom_id=, or take a new one."))
                : null;
        }

        private Admission? Admit(WithdrawalStep step)
        {
            if (!_rows.TryGetValue(step.Id, out var row))
                return new Admission(Refusal.NotFound("withdrawal"));
            if (row.State == step.To)
                return new Admission(null, row);
            return step.From.Contains(row.State)
                ? null
                : new Admission(new(RefusalCode.Conflict, $"This withdrawal is {row.State.Word()}; that cannot be done with it any more."));
        }

        private Withdrawal Make(WithdrawalOrder order, Movement movement)
        {
            var row = new Withdrawal
            {
                Shard = shard,
                Account = movement.Account,
                Id = movement.Id,
                State = WithdrawalState.Pending,
                Chain = order.Chain,
                Wallet = movement.Wallet,
                Currency = movement.Currency,
                Amount = movement.Amount,
                NetworkFee = order.NetworkFee,
                TransactionFee = movement.Fee - order.NetworkFee,
                FeesOnTop = order.FeesOnTop,
                Address = movement.Description!,
                CustomId = order.CustomId,
                IdempotencyKey = order.IdempotencyKey,
                CallbackUrl = order.CallbackUrl,
                Request = order.Request,
                RequestedBy = order.RequestedBy,
                NeedsApproval = order.NeedsApproval,
                WaitsFor = order.NeedsApproval ? WaitingFor.Approval : null,
                CreatedAt = movement.UpdatedAt,
                UpdatedAt = movement.UpdatedAt,
                Reference = movement.Reference,
            };
            if (order.IdempotencyKey is { } key)
                _byKey[(row.Account, key)] = row;
            if (order.CustomId is { } customId)
                _byCustomId[(row.Account, customId)] = row;
            _new.Add(row);
            return row;
        }

        /// <summary>Null when the row was not read: then it follows the ledger without anybody looking at it.</summary>
        private Withdrawal? Change(Movement movement, WithdrawalStep? step)
        {
            var state = step?.To ?? movement.State switch
            {
                MovementState.Settled => WithdrawalState.Completed,
                MovementState.Requested => WithdrawalState.Submitted,
                _ => WithdrawalState.Failed,
            };
            var known = _rows.GetValueOrDefault(movement.Id);
            var row = (known ?? Unread(movement)) with
            {
                State = state,
                Reason = step?.Reason,
                WaitsFor = null,
                UpdatedAt = movement.UpdatedAt,
                CompletedAt = state == WithdrawalState.Completed ? movement.EffectiveAt : null,
                DecidedBy = step?.DecidedBy ?? known?.DecidedBy,
                DecidedAt = step?.DecidedBy is null ? known?.DecidedAt : movement.UpdatedAt,
                NetworkFeePaid = step?.NetworkFeePaid ?? known?.NetworkFeePaid,
                BlockHeight = state == WithdrawalState.Completed ? step?.BlockHeight ?? known?.BlockHeight : null,
            };
            if (known is not null)
                _rows[movement.Id] = row;
            _changed.Add(row);
            return known is null ? null : row;
        }

        private Withdrawal Unread(Movement movement) => new()
        {
            Shard = shard,
            Account = movement.Account,
            Id = movement.Id,
            State = default,
            Chain = "",
            Wallet = movement.Wallet,
            Currency = movement.Currency,
            Amount = movement.Amount,
            NetworkFee = 0,
            TransactionFee = 0,
            FeesOnTop = true,
            Address = "",
            CreatedAt = default,
            UpdatedAt = movement.UpdatedAt,
            Reference = movement.Reference,
        };
    }
}
