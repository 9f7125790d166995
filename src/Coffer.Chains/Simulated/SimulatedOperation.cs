using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coffer.Chains.Simulated;

/// <summary>One output of a simulated transaction.</summary>
/// <param name="Kind">How the value moves; ordinals count per kind inside the transaction.</param>
/// <param name="Address">The receiver.</param>
/// <param name="Currency">The currency code.</param>
/// <param name="Amount">Smallest units, at least 0.</param>
public sealed record SimulatedOutput(TransferKind Kind, string Address, string Currency, Int128 Amount);

/// <summary>
/// One thing that was done to a simulated chain. The chain is nothing but the fold over these in order, stored by somebody else, so what an
/// operation does to a state may never change once written: a new meaning needs a new operation.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "do")]
[JsonDerivedType(typeof(Deposit), "deposit")]
[JsonDerivedType(typeof(Mine), "mine")]
[JsonDerivedType(typeof(Reorg), "reorg")]
[JsonDerivedType(typeof(Broadcast), "broadcast")]
[JsonDerivedType(typeof(Break), "break")]
[JsonDerivedType(typeof(Broken), "broken")]
public abstract record SimulatedOperation
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        // jsonb keeps no member order.
        AllowOutOfOrderMetadataProperties = true,
        NumberHandling = JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString,
    };

    private SimulatedOperation()
    {
    }

    /// <summary>The operation as one JSON object, for whoever stores it.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Reads what <see cref="ToJson"/> wrote, in any member order; throws <see cref="JsonException"/> on anything else.</summary>
    public static SimulatedOperation FromJson(string json) =>
        JsonSerializer.Deserialize<SimulatedOperation>(json, Json) ?? throw new JsonException("null is no operation.");

    /// <summary>A payment by a stranger enters the mempool, or enters it again after a reorg dropped it.</summary>
    /// <param name="TxId">64 hex digits.</param>
    /// <param name="Outputs">What it pays; one transaction may pay several times, also to one address.</param>
    public sealed record Deposit(string TxId, IReadOnlyList<SimulatedOutput> Outputs) : SimulatedOperation;

    /// <summary>Blocks are mined; the first takes the whole mempool.</summary>
    /// <param name="Count">How many.</param>
    /// <param name="Time">The time of the first; a block is never older than its parent, which wins.</param>
    /// <param name="StepSeconds">How much later each further block is.</param>
    public sealed record Mine(int Count, DateTimeOffset Time, int StepSeconds) : SimulatedOperation;

    /// <summary>The last blocks are replaced by one more, without the transactions that they held.</summary>
    /// <param name="Depth">How many blocks are lost.</param>
    /// <param name="Time">The time of the blocks that replace them; a block is never older than its parent, which wins.</param>
    /// <param name="Returned">True: lost deposits go back to the mempool. False: they vanish. Withdrawals always go back.</param>
    public sealed record Reorg(int Depth, DateTimeOffset Time, bool Returned) : SimulatedOperation;

    /// <summary>A payment of ours enters the mempool.</summary>
    /// <param name="TxId">The id of those bytes, see <see cref="SimulatedTransaction.Id"/>.</param>
    /// <param name="Output">What it pays.</param>
    public sealed record Broadcast(string TxId, SimulatedOutput Output) : SimulatedOperation;

    /// <summary>The next payments of ours go wrong.</summary>
    /// <param name="How">In which way.</param>
    /// <param name="Count">How many of them.</param>
    public sealed record Break(BroadcastFault How, int Count) : SimulatedOperation;

    /// <summary>A payment of ours went wrong, as was wished for the next one.</summary>
    /// <param name="TxId">The id of its bytes.</param>
    /// <param name="Output">What it pays.</param>
    /// <param name="How">In which way.</param>
    public sealed record Broken(string TxId, SimulatedOutput Output, BroadcastFault How) : SimulatedOperation;
}
