using Coffer.Ledger;
using Coffer.Server.Chain;
using Coffer.Server.Events;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;

namespace Coffer.Bench;

/// <summary>The product without alerts and events, to measure them against: guests do their work, and what they tell is thrown away.</summary>
internal sealed class Silent(ILedgerGuest guest) : ILedgerGuest
{
    public static ILedgerGuest[] Guests() => [new Silent(new WithdrawalGuest()), new Silent(new PolicyGuest()), new Silent(new DepositGuest())];

    public LedgerVisit? Enter(short shard, IReadOnlyList<Command> commands) =>
        guest.Enter(shard, commands) is { } visit ? new Visit(visit) : null;

    private sealed class Visit(LedgerVisit visit) : LedgerVisit
    {
        private readonly List<NewEvent> _nobody = [];

        public override void Load(Round round) => visit.Load(round);

        public override Admission? Admit(int index, DateTimeOffset now) => visit.Admit(index, now);

        public override object? Decided(int index, Decision decision, List<NewEvent> events) => visit.Decided(index, decision, _nobody);

        public override void Store(Round round) => visit.Store(round);
    }
}
