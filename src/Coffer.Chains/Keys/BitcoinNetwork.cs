namespace Coffer.Chains.Keys;

/// <summary>Which Bitcoin: what its addresses begin with, and no more.</summary>
/// <param name="Word">The word for it in settings: <c>main</c>, <c>test</c>, <c>regtest</c>.</param>
/// <param name="KeyHash">The first byte of a P2PKH address.</param>
/// <param name="ScriptHash">The first byte of a P2SH address.</param>
/// <param name="Segwit">The prefix of a segwit address.</param>
public sealed record BitcoinNetwork(string Word, byte KeyHash, byte ScriptHash, string Segwit)
{
    /// <summary>The one whose coins are worth something.</summary>
    public static BitcoinNetwork Main { get; } = new("main", 0x00, 0x05, "bc");

    /// <summary>The public test networks: testnet 3, testnet 4 and signet spell addresses alike.</summary>
    public static BitcoinNetwork Test { get; } = new("test", 0x6f, 0xc4, "tb");

    /// <summary>A private chain that mines on command.</summary>
    public static BitcoinNetwork Regtest { get; } = new("regtest", 0x6f, 0xc4, "bcrt");

    /// <summary>The network of a word; null for another word.</summary>
    public static BitcoinNetwork? Of(string word) => word switch
    {
        "main" => Main,
        "test" => Test,
        "regtest" => Regtest,
        _ => null,
    };
}
