namespace Coffer.Chains.Bitcoin;

/// <summary>
/// A block from its bytes. What stands here was proven: its header hashes to the hash that was asked for, and its header commits to exactly
/// these transactions, so a node can invent a whole block but not a payment inside a block that others know.
/// </summary>
internal sealed record RawBlock(RawHash Hash, RawHash Parent, DateTimeOffset Time, IReadOnlyList<RawTransaction> Transactions)
{
    private const int HeaderBytes = 80, TransactionBytesMin = 60;

    /// <summary>Reads bytes that are one whole block and must have the hash.</summary>
    public static RawBlock Parse(ReadOnlyMemory<byte> bytes, RawHash asked)
    {
        if (bytes.Length > RawTransaction.BytesMax)
            throw RawReader.Fault("is larger than any block");
        if (bytes.Length < HeaderBytes)
            throw RawReader.Fault("ends too early");
        var hash = RawHash.Of(bytes.Span[..HeaderBytes]);
        if (hash != asked)
            throw RawReader.Fault($"is the block {hash}, not {asked} that was asked for");

        var reader = new RawReader(bytes);
        reader.Skip(4);
        var parent = reader.Hash();
        var merkleRoot = reader.Hash();
        var time = DateTimeOffset.FromUnixTimeSeconds(reader.UInt32());
        reader.Skip(8);
        var transactions = new RawTransaction[reader.Count(TransactionBytesMin)];
        for (var i = 0; i < transactions.Length; i++)
            transactions[i] = RawTransaction.Read(ref reader, bytes);
        if (!reader.AtEnd)
            throw RawReader.Fault("goes on after the block");
        if (transactions.Length == 0 || MerkleRoot(transactions) != merkleRoot)
            throw RawReader.Fault($"has other transactions than the block {asked}");
        // 64 bytes of the tree could pass for a transaction (CVE-2017-12842), but never for one that makes the coins of a block.
        if (!transactions[0].IsCoinbase || transactions.Skip(1).Any(transaction => transaction.IsCoinbase))
            throw RawReader.Fault("does not begin with the one transaction that makes coins");
        return new RawBlock(hash, parent, time, transactions);
    }

    /// <summary>
    /// The root of the tree. An odd row counts its last hash twice, so a list with its tail repeated would have the same root
    /// (CVE-2012-2459): two equal neighbours are refused.
    /// </summary>
    private static RawHash MerkleRoot(IReadOnlyList<RawTransaction> transactions)
    {
        var row = new RawHash[transactions.Count];
        for (var i = 0; i < row.Length; i++)
            row[i] = transactions[i].Id;
        for (var length = row.Length; length > 1; length = (length + 1) / 2)
        {
            for (var i = 0; i < length; i += 2)
            {
                if (i + 1 < length && row[i] == row[i + 1])
                    throw RawReader.Fault("repeats transactions");
                row[i / 2] = RawHash.Of(row[i], row[Math.Min(i + 1, length - 1)]);
            }
        }

        return row[0];
    }
}
