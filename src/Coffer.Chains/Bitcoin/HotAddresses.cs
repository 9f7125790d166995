using System.Collections.Frozen;
using System.Globalization;
using Coffer.Chains.Keys;

namespace Coffer.Chains.Bitcoin;

/// <summary>
/// The addresses of a Bitcoin hot wallet, all of them, from its account's key: P2WPKH (BIP84), <c>0/i</c> to fund it, <c>1/i</c> for change.
/// There are so many and no more, so that no address of the wallet can ever be overlooked: change goes round the ring, one address for
/// each transaction, and begins again at its start after a thousand. Immutable; safe for concurrent callers.
/// </summary>
public sealed class HotAddresses
{
    /// <summary>How many addresses to fund it are watched; the first is the one that is shown.</summary>
    public const int ReceiveCount = 20;

    /// <summary>How many addresses the change goes round.</summary>
    public const int ChangeCount = 1_000;

    private const uint Receive = 0, ForChange = 1;

    private readonly FrozenDictionary<string, HotAddress> byAddress;
    private readonly HotAddress[] change;

    /// <summary>A <see cref="KeyFault"/> says why a text cannot serve.</summary>
    /// <param name="xpub">The account's key: <c>zpub</c> or <c>xpub</c>, on test networks <c>vpub</c> or <c>tpub</c>.</param>
    /// <param name="network">Must be the one that the key's prefix belongs to.</param>
    public HotAddresses(string xpub, BitcoinNetwork network)
    {
        var account = ExtendedPublicKey.Parse(xpub);
        var isTest = network != BitcoinNetwork.Main;
        if (account.Depth != ExtendedPublicKey.AccountDepth)
            throw new KeyFault($"The extended public key {account.Fingerprint} is at depth {account.Depth}; an account's key is needed, which "
                + "is at depth 3 (m/84'/coin'/account').");
        if (account.Prefix.Kind is not (ExtendedKeyKind.Plain or ExtendedKeyKind.Segwit) || account.Prefix.IsTest != isTest)
            throw new KeyFault($"The extended public key {account.Fingerprint} is a {account.Prefix.Word}; a hot wallet here has to be a "
                + (isTest ? "vpub or tpub." : "zpub or xpub."));
        Fingerprint = account.Fingerprint;
        change = Branch(account, ForChange, ChangeCount, network);
        HotAddress[] receive = Branch(account, Receive, ReceiveCount, network);
        First = receive[0];
        byAddress = receive.Concat(change).ToFrozenDictionary(one => one.Address, StringComparer.Ordinal);
    }

    /// <summary>Of the account's key, 8 lower-case hex digits (BIP32).</summary>
    public string Fingerprint { get; }

    /// <summary>The address that its operator pays to fund it, <c>0/0</c>.</summary>
    public HotAddress First { get; }

    /// <summary>The address of the wallet with this spelling; null for any other.</summary>
    public HotAddress? Find(string address) => byAddress.GetValueOrDefault(address);

    /// <summary>Where the change of a transaction goes.</summary>
    /// <param name="number">The transaction's number, from 0, among those of the wallet.</param>
    public HotAddress Change(long number) => change[number % ChangeCount];

    private static HotAddress[] Branch(ExtendedPublicKey account, uint branch, int count, BitcoinNetwork network)
    {
        var parent = account.Child(branch);
        return
        [
            .. Enumerable.Range(0, count).Select(i =>
            {
                var key = parent.ChildKey((uint)i);
                var address = BitcoinAddress.OfScript(BitcoinAddress.KeyScript(key), network)!;
                return new HotAddress(address, string.Create(CultureInfo.InvariantCulture, $"{branch}/{i}"), key);
            }),
        ];
    }
}

/// <summary>One address of a hot wallet.</summary>
/// <param name="Address">In its one spelling.</param>
/// <param name="Path">The last two steps of its derivation, e.g. <c>1/7</c>.</param>
/// <param name="Key">Its compressed public key, 33 bytes.</param>
public sealed record HotAddress(string Address, string Path, IReadOnlyList<byte> Key);
