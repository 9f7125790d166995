using System.Text.Json;
using Coffer.Ledger;
using Coffer.Server.Events;
using Coffer.Server.Host;
using Coffer.Server.Ledger;

namespace Coffer.Server.Chain;

/// <summary>
/// Tells accounts of their deposits, in the ledger's own transactions: that one was received, confirmed, reversed. Called by the ledger
/// writers. A command that changes nothing tells nothing, so whatever is repeated, each is told once. If the process dies, neither the
/// posting nor the event has happened, or both have.
/// </summary>
internal sealed class DepositGuest : ILedgerGuest
{
    public LedgerVisit? Enter(short shard, IReadOnlyList<Command> commands)
    {
        foreach (var command in commands)
        {
            if (command.Companion is Observation)
                return new Visit(commands);
        }

        return null;
    }

    private sealed class Visit(IReadOnlyList<Command> commands) : LedgerVisit
    {
        public override object? Decided(int index, Decision decision, List<NewEvent> events)
        {
            if (decision.Postings.Count > 0 && commands[index].Companion is Observation seen)
                events.Add(Told(decision.Movement!, seen, commands[index].Currency));
            return null;
        }

        private static NewEvent Told(Movement deposit, Observation seen, Currency currency)
        {
            var (type, status) = deposit.State switch
            {
                MovementState.Seen => (EventType.DepositReceived, "received"),
                MovementState.Confirmed => (EventType.DepositConfirmed, "confirmed"),
                _ => (EventType.DepositReversed, "reversed"),
            };
            return NewEvent.Of(deposit.Account, deposit.UpdatedAt, type, json => Write(json, deposit, status, seen, currency));
        }

        private static void Write(Utf8JsonWriter json, Movement deposit, string status, Observation seen, Currency currency)
        {
            json.WriteStartObject();
            json.WriteString("deposit_id"u8, deposit.Id.Value);
            json.WriteString("status"u8, status);
            json.WriteString("wallet_id"u8, deposit.Wallet.Value);
            json.WriteString("currency"u8, deposit.Currency);
            json.WriteString("blockchain"u8, currency.Network);
            json.WriteString("token"u8, currency.Token);
            json.WriteFixed("amount"u8, deposit.Amount, currency.Decimals);
            json.WriteFixed("fee"u8, deposit.Fee, currency.Decimals);
            json.WriteFixed("net_amount"u8, deposit.Amount - deposit.Fee, currency.Decimals);
            json.WriteString("address"u8, seen.Address);
            json.WriteString("txid"u8, seen.TxId);
            json.WriteNumber("height"u8, seen.Height);
            json.WriteNumber("sighting"u8, deposit.Sighting);
            json.WriteTime("effective_at"u8, deposit.EffectiveAt);
            json.WriteEndObject();
        }
    }
}
