namespace Coffer.Chains.Keys;

/// <summary>What kind of address a wallet makes from an extended key, as far as its prefix tells (SLIP-132).</summary>
public enum ExtendedKeyKind
{
    /// <summary><c>xpub</c>, <c>tpub</c> (BIP32): says nothing about addresses.</summary>
    Plain,

    /// <summary><c>ypub</c>, <c>upub</c>: P2WPKH inside P2SH (BIP49).</summary>
    NestedSegwit,

    /// <summary><c>zpub</c>, <c>vpub</c>: P2WPKH (BIP84).</summary>
    Segwit,

    /// <summary><c>Ypub</c>, <c>Upub</c>: one of several signers, P2WSH inside P2SH.</summary>
    NestedMultisig,

    /// <summary><c>Zpub</c>, <c>Vpub</c>: one of several signers, P2WSH.</summary>
    Multisig,
}

/// <summary>The four bytes that an extended key begins with and the word that they make of it (BIP32, SLIP-132).</summary>
/// <param name="Word">The first four characters of the text, e.g. <c>zpub</c>.</param>
/// <param name="PublicVersion">The four bytes of the public key, big-endian.</param>
/// <param name="PrivateVersion">Those of the private key.</param>
/// <param name="Kind">What the prefix says about addresses.</param>
/// <param name="IsTest">Whether it belongs to test networks.</param>
public sealed record ExtendedKeyPrefix(string Word, uint PublicVersion, uint PrivateVersion, ExtendedKeyKind Kind, bool IsTest)
{
    /// <summary>All that are known.</summary>
    public static IReadOnlyList<ExtendedKeyPrefix> All { get; } =
    [
        new("xpub", 0x0488b21e, 0x0488ade4, ExtendedKeyKind.Plain, false),
        new("tpub", 0x043587cf, 0x04358394, ExtendedKeyKind.Plain, true),
        new("ypub", 0x049d7cb2, 0x049d7878, ExtendedKeyKind.NestedSegwit, false),
        new("upub", 0x044a5262, 0x044a4e28, ExtendedKeyKind.NestedSegwit, true),
        new("zpub", 0x04b24746, 0x04b2430c, ExtendedKeyKind.Segwit, false),
        new("vpub", 0x045f1cf6, 0x045f18bc, ExtendedKeyKind.Segwit, true),
        new("Ypub", 0x0295b43f, 0x0295b005, ExtendedKeyKind.NestedMultisig, false),
        new("Upub", 0x024289ef, 0x024285b5, ExtendedKeyKind.NestedMultisig, true),
        new("Zpub", 0x02aa7ed3, 0x02aa7a99, ExtendedKeyKind.Multisig, false),
        new("Vpub", 0x02575483, 0x02575048, ExtendedKeyKind.Multisig, true),
    ];
}
