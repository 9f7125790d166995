using System.Buffers;

namespace Coffer.Chains.Keys;

/// <summary>
/// The address that somebody wants to be paid at, as he wrote it. What is taken is one spelling; what is not is told with the reason, for
/// money that was sent to a mistyped address is lost.
/// </summary>
/// <param name="Canonical">The address in its chain's one spelling; null for none.</param>
/// <param name="Fault">One sentence about what is wrong; null exactly when there is nothing.</param>
public readonly record struct PayeeAddress(string? Canonical, string? Fault)
{
    private const string CheckAll = "Check every character.";

    private static readonly SearchValues<char> _hex = SearchValues.Create("0123456789abcdefABCDEF");

    /// <summary>An address of Ethereum or its likes: 0x and 40 hex digits; with letters in both cases these are a checksum (EIP-55).</summary>
    public static PayeeAddress Evm(string text)
    {
        if (!text.StartsWith("0x", StringComparison.Ordinal))
            return No("An address of this network begins with 0x.");
        if (text.Length != 42 || text.AsSpan(2).ContainsAnyExcept(_hex))
            return No($"An address of this network is 0x and 40 hexadecimal digits. {CheckAll}");
        if (EvmAddress.Read(text) is not { } address)
            return No($"The checksum of this address is wrong: the case of its letters does not fit (EIP-55). {CheckAll}");
        return text.AsSpan(2).ContainsAnyExcept('0') ? new(address, null) : No("This is the zero address: what is sent there is lost.");
    }

    /// <summary>An address of Tron: Base58Check, beginning with T.</summary>
    public static PayeeAddress Tron(string text)
    {
        if (text.Length == 0 || text[0] != 'T')
            return No("An address of this network begins with T.");
        if (TronAddress.Read(text) is not { } address)
            return No($"The checksum of this address is wrong. {CheckAll} Upper and lower case differ.");
        return TronAddress.ToBytes(address).AsSpan().ContainsAnyExcept((byte)0)
            ? new(address, null) : No("This is the zero address: what is sent there is lost.");
    }

    /// <summary>An address of this Bitcoin network: P2PKH, P2SH, P2WPKH, P2WSH or P2TR.</summary>
    public static PayeeAddress Bitcoin(string text, BitcoinNetwork network)
    {
        if (BitcoinAddress.Read(text, network) is { } address)
            return new(address, null);
        ReadOnlySpan<BitcoinNetwork> all = [BitcoinNetwork.Main, BitcoinNetwork.Test, BitcoinNetwork.Regtest];
        foreach (var other in all)
        {
            if (other != network && BitcoinAddress.Read(text, other) is not null)
                return No($"This address belongs to another Bitcoin network ({other.Word}); this server pays on {network.Word}.");
        }
        if (SegwitAddress.Decode(network.Segwit, text) is not null)
            return No("This address is of a kind that Bitcoin does not define yet: anyone could take what is sent there.");
        return No($"This is no address of Bitcoin's network {network.Word}, or its checksum is wrong. {CheckAll}");
    }

    private static PayeeAddress No(string why) => new(null, why);
}
