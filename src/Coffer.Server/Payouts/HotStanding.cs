using System.Numerics;

namespace Coffer.Server.Payouts;

/// <summary>How one hot wallet stands. Amounts are smallest units.</summary>
/// <param name="Chain">Which chain.</param>
/// <param name="Address">The address to fund it.</param>
/// <param name="Assets">What it pays, and the coin that fees are paid in, first.</param>
/// <param name="NextNumber">EVM: the nonce of the next payout; elsewhere how many were planned.</param>
/// <param name="Open">Payouts that are in no block deep enough yet.</param>
/// <param name="OldestOpen">When the oldest of them was planned.</param>
/// <param name="OldestWaiting">When the oldest withdrawal was asked for that no payout pays yet.</param>
/// <param name="Waiting">How many wait, by what they wait for; an empty word for nothing in particular.</param>
/// <param name="ForeignUse">What somebody else did with its key; null: nothing seen.</param>
/// <param name="CannotTell">Why it is not known what it holds; null when it is.</param>
internal sealed record HotStanding(string Chain, string Address, IReadOnlyList<HotAsset> Assets, long NextNumber, long Open,
    DateTimeOffset? OldestOpen, DateTimeOffset? OldestWaiting, IReadOnlyDictionary<string, long> Waiting, string? ForeignUse, string? CannotTell)
{
    /// <summary>How many withdrawals wait, and for what, a sentence each without its full stop.</summary>
    public IEnumerable<string> Waits =>
        Waiting.Select(one => $"{one.Value} withdrawals wait{(one.Key.Length > 0 ? $" for {one.Key}" : "")}");

    /// <summary>What the operator must do something about, a sentence each.</summary>
    public IEnumerable<string> Alarms => Assets.Where(asset => asset.Missing > 0).Select(asset => asset.Alarm(Address))
        .Concat(ForeignUse is { } use ? [$"The key of the hot wallet was used by somebody else: {use}"] : []);
}

/// <summary>What a hot wallet has of one asset, and needs of it. Amounts are smallest units.</summary>
/// <param name="Code">The currency's code; for a coin that is no currency here, the network's.</param>
/// <param name="Decimals">Digits after the point.</param>
/// <param name="IsCoin">Whether it is the chain's own coin, which fees are paid in.</param>
/// <param name="Held">What it holds; null when no node says.</param>
/// <param name="Returning">Bitcoin: change of payouts that are not mined yet; the coins that they spend are not held any more.</param>
/// <param name="Queued">The sum of the withdrawals that no payout pays yet, those that wait for approval included.</param>
/// <param name="QueuedCount">How many they are.</param>
/// <param name="Leaving">What has been planned and is not mined, as far as <paramref name="Held"/> still counts it.</param>
/// <param name="LeavingCount">How many withdrawals that is.</param>
/// <param name="Fees">Of the coin: what paying all of these is expected to cost.</param>
/// <param name="Low">What should always be left.</param>
internal sealed record HotAsset(string Code, int Decimals, bool IsCoin, BigInteger? Held, BigInteger Returning,
    BigInteger Queued, long QueuedCount, BigInteger Leaving, long LeavingCount, BigInteger Fees, BigInteger Low)
{
    public BigInteger Needed => Queued + Leaving + Fees + Low;

    /// <summary>What would have to be paid in for all of that; 0 when there is enough, or nobody knows.</summary>
    public BigInteger Missing => Held + Returning is { } held && held < Needed ? Needed - held : 0;

    public string Text(BigInteger amount) => amount <= (BigInteger)Amount.Max
        ? Amount.Short((Int128)amount, Decimals) : $"{amount} smallest units";

    public string Alarm(string address) =>
        $"{Code}: {Text(Held ?? 0)} held, {(Returning > 0 ? $"{Text(Returning)} returning, " : "")}{Text(Queued)} queued, {Text(Leaving)} leaving"
        + (IsCoin ? $", {Text(Fees)} for fees" : "") + $", {Text(Low)} to be left: pay {Text(Missing)} to {address}";
}
