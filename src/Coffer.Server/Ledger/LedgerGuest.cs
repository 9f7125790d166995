using Coffer.Ledger;
using Coffer.Server.Events;
using Coffer.Server.Sql;

namespace Coffer.Server.Ledger;

/// <summary>
/// A room that takes part in the ledger's transactions: what it writes commits together with the postings, or not at all. The ledger
/// does not know its guests; they are given to the writers where the server is put together, in the order in which they take their locks.
/// </summary>
internal interface ILedgerGuest
{
    /// <summary>
    /// Looks at the commands of one transaction. Null when none concerns this guest, which then costs nothing. Called anew for every
    /// try of the transaction, so a visit must keep nothing outside itself.
    /// </summary>
    LedgerVisit? Enter(short shard, IReadOnlyList<Command> commands);
}

/// <summary>
/// A guest's part in one transaction; its calls come in the order of its members. Rows that a visit means to change it must lock in
/// <see cref="Load"/>, sorted by their key: balances that are read are locked before, so no two transactions wait for each other. (Those
/// that a writer remembers are locked when they are written. If another server has them by then, PostgreSQL may end one of the two
/// transactions, and it is run again.) What two processes may insert at once needs a unique key: a violation makes the whole transaction run
/// again, and then <see cref="Load"/> sees the other's row.
/// </summary>
internal abstract class LedgerVisit
{
    /// <summary>Adds statements to the round trip that reads, behind those of the ledger.</summary>
    public virtual void Load(Round round)
    {
    }

    /// <summary>
    /// Asked for each command in its order, right before it is decided: null to let it be decided, else a refusal, or the answer of an
    /// earlier command that this one repeats.
    /// </summary>
    public virtual Admission? Admit(int index, DateTimeOffset now) => null;

    /// <summary>
    /// Told of each command what was decided, also a refusal, or that nothing changed (no postings). What is returned is the
    /// <see cref="Outcome.Answer"/>, if no guest before had one. What the account is to be told of it is added to
    /// <paramref name="events"/>, which commit with the postings.
    /// </summary>
    public virtual object? Decided(int index, Decision decision, List<NewEvent> events) => null;

    /// <summary>Adds statements to the round trip that writes and commits, behind those of the ledger. Their rows are not read.</summary>
    public virtual void Store(Round round)
    {
    }
}

/// <summary>Why a command is not decided: because it is refused, or because it repeats one whose answer is given again.</summary>
internal sealed record Admission(Refusal? Refusal, object? Answer = null);
