namespace Coffer.Chains.Keys;

/// <summary>
/// Where a family of addresses comes from: the external chain (BIP44: change 0) of one account's extended public key. The same key and
/// index give the same address for ever. Safe for concurrent callers.
/// </summary>
/// <param name="Family">Which chains share the addresses: <c>evm</c>, <c>tron</c>, <c>bitcoin</c>.</param>
/// <param name="Fingerprint">Of the account's key, 8 lower-case hex digits (BIP32): tells keys apart.</param>
/// <param name="At">
/// The address at an index from 0 to <see cref="ExtendedPublicKey.IndexMax"/>, in its one spelling. A <see cref="KeyFault"/> where that
/// index has none, which is to be expected never; then the next one serves.
/// </param>
public sealed record AddressSource(string Family, string Fingerprint, Func<uint, string> At)
{
    /// <summary>The family of Ethereum, BSC, Polygon, Arbitrum, Base and their likes.</summary>
    public const string EvmFamily = "evm";

    /// <summary>The family of Tron.</summary>
    public const string TronFamily = "tron";

    /// <summary>The family of Bitcoin.</summary>
    public const string BitcoinFamily = "bitcoin";

    private const uint External = 0;

    /// <summary>The family of a kind of chain.</summary>
    public static string FamilyOf(ChainKind kind) => kind switch
    {
        ChainKind.Evm => EvmFamily,
        ChainKind.Bitcoin => BitcoinFamily,
        ChainKind.Tron => TronFamily,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Addresses of EVM chains, m/44'/60'/account'/0/index. A <see cref="KeyFault"/> says why a text cannot serve.</summary>
    /// <param name="xpub">The account's key, <c>xpub...</c>.</param>
    public static AddressSource Evm(string xpub)
    {
        var account = Account(xpub);
        MustBe(account, ExtendedKeyKind.Plain, isTest: false, "xpub");
        var external = account.Child(External);
        return new AddressSource(EvmFamily, account.Fingerprint, index => EvmAddress.OfKey(external.ChildKey(index)));
    }

    /// <summary>Addresses of Tron, m/44'/195'/account'/0/index. A <see cref="KeyFault"/> says why a text cannot serve.</summary>
    /// <param name="xpub">The account's key, <c>xpub...</c>.</param>
    public static AddressSource Tron(string xpub)
    {
        var account = Account(xpub);
        MustBe(account, ExtendedKeyKind.Plain, isTest: false, "xpub");
        var external = account.Child(External);
        return new AddressSource(TronFamily, account.Fingerprint, index => TronAddress.OfKey(external.ChildKey(index)));
    }

    /// <summary>
    /// Addresses of Bitcoin: P2WPKH (m/84'/coin'/account'/0/index) of <c>zpub</c> and, since it does not say, of <c>xpub</c>; P2WPKH inside
    /// P2SH (BIP49) of <c>ypub</c>. On the test networks <c>vpub</c>, <c>tpub</c>, <c>upub</c>. A <see cref="KeyFault"/> says why a text
    /// cannot serve.
    /// </summary>
    /// <param name="xpub">The account's key.</param>
    /// <param name="network">Must be the one that the key's prefix belongs to.</param>
    public static AddressSource Bitcoin(string xpub, BitcoinNetwork network)
    {
        var account = Account(xpub);
        var prefix = account.Prefix;
        if (prefix.Kind is ExtendedKeyKind.Multisig or ExtendedKeyKind.NestedMultisig)
            throw new KeyFault($"The key is a {prefix.Word}, one of several signers' keys, whose addresses cannot be made from it alone.");
        var isTest = network != BitcoinNetwork.Main;
        MustBe(account, prefix.Kind, isTest, isTest ? "vpub, tpub or upub" : "zpub, xpub or ypub");
        var external = account.Child(External);
        return new AddressSource(BitcoinFamily, account.Fingerprint, index =>
        {
            var key = external.ChildKey(index);
            var script = prefix.Kind == ExtendedKeyKind.NestedSegwit ? BitcoinAddress.NestedKeyScript(key) : BitcoinAddress.KeyScript(key);
            return BitcoinAddress.OfScript(script, network)!;
        });
    }

    private static ExtendedPublicKey Account(string xpub)
    {
        var key = ExtendedPublicKey.Parse(xpub);
        if (key.Depth == ExtendedPublicKey.AccountDepth)
            return key;
        throw new KeyFault($"The extended public key {key.Fingerprint} is at depth {key.Depth}; an account's key is needed, which "
            + "is at depth 3 (m/purpose'/coin'/account').");
    }

    private static void MustBe(ExtendedPublicKey key, ExtendedKeyKind kind, bool isTest, string words)
    {
        if (key.Prefix.Kind != kind || key.Prefix.IsTest != isTest)
            throw new KeyFault($"The extended public key {key.Fingerprint} is a {key.Prefix.Word}; here it has to be a {words}.");
    }
}
