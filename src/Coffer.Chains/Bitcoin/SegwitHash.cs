using Coffer.Chains.Keys;

namespace Coffer.Chains.Bitcoin;

/// <summary>What the key of a P2WPKH input signs when it signs all inputs and outputs (BIP143, SIGHASH_ALL).</summary>
internal static class SegwitHash
{
    /// <summary>The sighash type, which is also the last byte of the signature.</summary>
    public const byte All = 1;

    private const byte OpDup = 0x76, OpHash160 = 0xa9, OpEqualVerify = 0x88, OpCheckSig = 0xac;

    /// <param name="version">The transaction's version.</param>
    /// <param name="inputs">All of its inputs.</param>
    /// <param name="outputs">Its outputs as they are in the transaction, without their count.</param>
    /// <param name="lockTime">Its lock time.</param>
    /// <param name="input">Which input is signed.</param>
    /// <param name="value">What that input is worth, in satoshi.</param>
    /// <param name="key">The compressed public key whose hash it pays.</param>
    public static byte[] Of(uint version, IReadOnlyList<(Outpoint Coin, uint Sequence)> inputs, ReadOnlySpan<byte> outputs, uint lockTime,
        int input, long value, ReadOnlySpan<byte> key)
    {
        var (coins, sequences) = (new RawWriter(), new RawWriter());
        foreach (var (coin, sequence) in inputs)
        {
            coins.Hash(coin.Transaction).UInt32(coin.Index);
            sequences.UInt32(sequence);
        }

        var signed = inputs[input];
        byte[] code = [OpDup, OpHash160, Hash160.Bytes, .. Hash160.Hash(key), OpEqualVerify, OpCheckSig];
        var writer = new RawWriter().UInt32(version).Hash(RawHash.Of(coins.ToArray())).Hash(RawHash.Of(sequences.ToArray()))
            .Hash(signed.Coin.Transaction).UInt32(signed.Coin.Index).Script(code).Int64(value).UInt32(signed.Sequence)
            .Hash(RawHash.Of(outputs)).UInt32(lockTime).UInt32(All);
        var hash = new byte[RawHash.Bytes];
        RawHash.Of(writer.ToArray()).Write(hash);
        return hash;
    }
}
