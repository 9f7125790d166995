namespace Coffer.Chains.Keys;

/// <summary>
/// Bitcoin's addresses and the output scripts that they stand for, one to one: P2PKH and P2SH in Base58Check, P2WPKH and P2WSH (BIP173),
/// P2TR (BIP350). Witness versions that mean nothing yet are no addresses here, though BIP350 would send to them: today anyone could spend
/// what is there.
/// </summary>
public static class BitcoinAddress
{
    private const byte Op0 = 0x00, Op1 = 0x51, OpDup = 0x76, OpEqual = 0x87, OpEqualVerify = 0x88, OpHash160 = 0xa9, OpCheckSig = 0xac;
    private const byte Push20 = 20, Push32 = 32;

    /// <summary>The address of an output script; null for a script of any other form.</summary>
    public static string? OfScript(ReadOnlySpan<byte> script, BitcoinNetwork network) => script switch
    {
        [OpDup, OpHash160, Push20, .. { Length: 20 } hash, OpEqualVerify, OpCheckSig] => Base58Check.Encode([network.KeyHash, .. hash]),
        [OpHash160, Push20, .. { Length: 20 } hash, OpEqual] => Base58Check.Encode([network.ScriptHash, .. hash]),
        [Op0, Push20, .. { Length: 20 } hash] => SegwitAddress.Encode(network.Segwit, 0, hash),
        [Op0, Push32, .. { Length: 32 } hash] => SegwitAddress.Encode(network.Segwit, 0, hash),
        [Op1, Push32, .. { Length: 32 } key] => SegwitAddress.Encode(network.Segwit, 1, key),
        _ => null,
    };

    /// <summary>The output script that pays an address; null for a text that is no address of this network.</summary>
    public static byte[]? ToScript(string address, BitcoinNetwork network)
    {
        if (SegwitAddress.Decode(network.Segwit, address) is { } witness)
        {
            return (witness.Version, witness.Program.Length) switch
            {
                (0, 20) => [Op0, Push20, .. witness.Program],
                (0, 32) => [Op0, Push32, .. witness.Program],
                (1, 32) => [Op1, Push32, .. witness.Program],
                _ => null,
            };
        }
        if (Base58Check.Decode(address) is not { Length: 1 + Hash160.Bytes } bytes)
            return null;
        if (bytes[0] == network.KeyHash)
            return [OpDup, OpHash160, Push20, .. bytes.AsSpan(1), OpEqualVerify, OpCheckSig];
        return bytes[0] == network.ScriptHash ? ScriptHashScript(bytes.AsSpan(1)) : null;
    }

    /// <summary>The one spelling of an address: segwit in lower case, the others as they are. Null as in <see cref="ToScript"/>.</summary>
    public static string? Read(string text, BitcoinNetwork network) =>
        ToScript(text, network) is { } script ? OfScript(script, network) : null;

    /// <summary>The script that pays a compressed public key, P2WPKH (BIP141, BIP84).</summary>
    public static byte[] KeyScript(ReadOnlySpan<byte> key) => [Op0, Push20, .. Hash160.Hash(MustBeKey(key))];

    /// <summary>The script that pays a compressed public key by P2WPKH inside P2SH (BIP49).</summary>
    public static byte[] NestedKeyScript(ReadOnlySpan<byte> key) => ScriptHashScript(Hash160.Hash(KeyScript(key)));

    private static byte[] ScriptHashScript(ReadOnlySpan<byte> hash) => [OpHash160, Push20, .. hash, OpEqual];

    private static ReadOnlySpan<byte> MustBeKey(ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, Secp256k1.CompressedBytes);
        return key;
    }
}
