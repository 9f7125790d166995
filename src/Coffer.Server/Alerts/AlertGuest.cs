using System.Numerics;
using Coffer.Ledger;
using Coffer.Server.Events;
using Coffer.Server.Ledger;
using Coffer.Server.Sql;

namespace Coffer.Server.Alerts;

/// <summary>
/// Decides low-balance alerts in the ledger's own transactions. Called by the ledger writers, last of the guests, for every batch that may
/// change what is available.
///
/// Guarantees, for any number of writers and processes: an alert becomes low with the very command after which less than its threshold is
/// available, and ok with the one after which its recovery threshold is there; each change is told once, by an event that commits with the
/// posting. A balance of a wallet is decided on the version that its posting proves, that of an account under the lock of the alert's, which carries the
/// sum of its wallets. If the process dies, the posting, the state and the event are there all or none; what is run again is decided anew.
/// </summary>
internal sealed class AlertGuest(TimeProvider time) : ILedgerGuest
{
    public LedgerVisit? Enter(short shard, IReadOnlyList<Command> commands)
    {
        foreach (var command in commands)
        {
            if (Reach.Of(command).MovesAvailable)
                return new Visit(shard, commands, time.GetUtcNow());
        }

        return null;
    }

    private sealed class Visit(short shard, IReadOnlyList<Command> commands, DateTimeOffset now) : LedgerVisit
    {
        private readonly Dictionary<AlertKey, List<Watched>> _watched = [];

        public override void Load(Round round)
        {
            var reaches = new Dictionary<AlertKey, Reach>();
            foreach (var command in commands)
            {
                if (Reach.Of(command) is { MovesAvailable: true } reach)
                    reaches[Key(command)] = reaches.GetValueOrDefault(Key(command)) + reach;
            }

            List<AlertKey> keys = [.. reaches.Keys];
            // In the order that every writer of every process locks in, as with balances.
            keys.Sort(static (a, b) => a.Account.Value.CompareTo(b.Account.Value) is var account and not 0 ? account
                : string.CompareOrdinal(a.Currency, b.Currency));
            round.HoldAlertGate(shard);
            round.LockAlerts(shard, keys, alert => Of(new AlertKey(alert.Account, alert.Currency), _watched).Add(new Watched(alert)));
            keys.RemoveAll(key => reaches[key].Debit == 0);
            // Flows are read only where a balance may become low now, so that a posting that is far from it costs nothing more.
            if (keys.Count > 0)
                round.LoadOutflows(shard, keys, [.. keys.Select(key => reaches[key])], now, Found);
        }

        public override object? Decided(int index, Decision decision, List<NewEvent> events)
        {
            if (decision.Postings.Count == 0 || !_watched.TryGetValue(Key(commands[index]), out var alerts))
                return null;
            foreach (var one in alerts)
            {
                if (one.Add(decision.Postings) is not { } available)
                    continue;
                var state = LowBalance.Next(one.Alert.State, available, one.Alert.Threshold, one.Alert.Recovery);
                if (state == one.Alert.State)
                    continue;
                var at = decision.Movement!.UpdatedAt;
                one.Become(state, at);
                events.Add(Told(one, available, at, commands[index].Currency.Decimals));
            }

            return null;
        }

        public override void Store(Round round)
        {
            List<Alert>? changed = null;
            foreach (var alerts in _watched.Values)
            {
                foreach (var one in alerts)
                {
                    if (one.Changed)
                        (changed ??= []).Add(one.Alert);
                }
            }

            if (changed is not null)
                round.StoreAlerts(shard, changed);
        }

        private void Found(Guid id, AlertKey key, Outflow outflow)
        {
            foreach (var one in Of(key, _watched))
            {
                if (one.Alert.Id == id)
                    one.Outflow = outflow;
            }
        }

        private static NewEvent Told(Watched one, BigInteger available, DateTimeOffset at, int decimals)
        {
            var (type, forecast) = one.Alert.State == AlertState.Low
                ? (EventType.BalanceLow, Forecast.Of(available, one.Outflow.Day, one.Outflow.Week, at))
                : (EventType.BalanceRecovered, null);
            return NewEvent.Of(one.Alert.Account, at, type, json => json.WriteTold(one.Alert, available, forecast, decimals));
        }

        private static List<Watched> Of(AlertKey key, Dictionary<AlertKey, List<Watched>> watched)
        {
            if (!watched.TryGetValue(key, out var alerts))
                watched[key] = alerts = [];
            return alerts;
        }

        private static AlertKey Key(Command command) => new(command.Account, command.Currency.Code);
    }

    /// <summary>An alert as it was locked and as the commands so far have left it.</summary>
    private sealed class Watched(Alert alert)
    {
        public Alert Alert { get; private set; } = alert;

        public Outflow Outflow { get; set; }

        /// <summary>Whether its row must be written.</summary>
        public bool Changed { get; private set; }

        /// <summary>What is available after these postings of one command; null when they did not touch it.</summary>
        public BigInteger? Add(IReadOnlyList<Posting> postings)
        {
            BigInteger? available = null;
            BigInteger change = 0;
            foreach (var posting in postings)
            {
                if (Alert.Wallet is { } wallet && posting.Key.Wallet != wallet)
                    continue;
                change += posting.Available;
                available = posting.AvailableAfter;
                // What is held is on its way, what was withdrawn has left: settling moves it from one to the other.
                BigInteger left = posting.Held + posting.Withdrawn;
                Outflow = new Outflow(Outflow.Day + left, Outflow.Week + left);
            }

            if (Alert.Sum is not { } sum)
                return available;
            // A transfer between own wallets leaves the account with what it had, and so is no crossing.
            if (change == 0)
                return null;
            Alert = Alert with { Sum = sum + change };
            Changed = true;
            return Alert.Sum;
        }

        public void Become(AlertState state, DateTimeOffset at)
        {
            Alert = Alert with { State = state, StateSince = at };
            Changed = true;
        }
    }
}
