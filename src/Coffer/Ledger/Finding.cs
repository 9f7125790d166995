namespace Coffer.Ledger;

/// <summary>One row of the ledger that is not what it must be.</summary>
/// <param name="Table">The table it is in.</param>
/// <param name="Key">Its key, readable: <c>shard 0 wallet ... ETH version 7</c>.</param>
/// <param name="Problem">What is wrong, in one sentence.</param>
public sealed record Finding(string Table, string Key, string Problem);
