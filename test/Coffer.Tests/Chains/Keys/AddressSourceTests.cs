using Coffer.Chains.Keys;

namespace Coffer.Tests.Chains.Keys;

public sealed class AddressSourceTests
{
    // BIP84 and BIP49: their accounts and first addresses.
    private const string Zpub = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs";
    private const string Upub = "upub5EFU65HtV5TeiSHmZZm7FUffBGy8UKeqp7vw43jYbvZPpoVsgU93oac7Wk3u6moKegAEWtGNF8DehrnHtv21XXEMYRUocHqguyjknFHYfgY";

    private static readonly string Xpub = Bip32Vectors.Valid[0].Chains[3].Public;
    private static readonly string Master = Bip32Vectors.Valid[0].Chains[0].Public;

    [Fact]
    public void A_zpub_gives_the_addresses_of_bip_84()
    {
        var source = AddressSource.Bitcoin(Zpub, BitcoinNetwork.Main);
        Assert.Equal("bitcoin", source.Family);
        Assert.Equal("bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", source.At(0));
        Assert.Equal("bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g", source.At(1));
    }

    [Fact]
    public void A_ypub_gives_the_addresses_of_bip_49() =>
        Assert.Equal("2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2", AddressSource.Bitcoin(Upub, BitcoinNetwork.Test).At(0));

    [Fact]
    public void A_source_is_known_by_the_fingerprint_of_its_account()
    {
        // The parent that the next key of the vector names.
        Assert.Equal("ee7ab90c", AddressSource.Evm(Xpub).Fingerprint);
        Assert.Equal("ee7ab90c", AddressSource.Tron(Xpub).Fingerprint);
        Assert.Equal("ee7ab90c", AddressSource.Bitcoin(Xpub, BitcoinNetwork.Main).Fingerprint);
    }

    [Fact]
    public void An_evm_and_a_tron_address_of_one_key_are_the_same_bytes() =>
        Assert.Equal(AddressSource.Evm(Xpub).At(7).ToLowerInvariant(), TronAddress.ToHex(AddressSource.Tron(Xpub).At(7)));

    [Fact]
    public void Only_the_key_of_an_account_serves()
    {
        foreach (var key in new[] { Master, Bip32Vectors.Valid[0].Chains[2].Public, Bip32Vectors.Valid[0].Chains[4].Public })
        {
            foreach (var make in new Func<string, AddressSource>[] { AddressSource.Evm, AddressSource.Tron, k => AddressSource.Bitcoin(k, BitcoinNetwork.Main) })
                Assert.Contains("at depth 3", Assert.Throws<KeyFault>(() => make(key)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_key_of_another_purpose_or_network_is_refused_by_its_word()
    {
        Assert.Contains("is a zpub", Assert.Throws<KeyFault>(() => AddressSource.Evm(Zpub)).Message, StringComparison.Ordinal);
        Assert.Contains("is a upub", Assert.Throws<KeyFault>(() => AddressSource.Tron(Upub)).Message, StringComparison.Ordinal);
        Assert.Contains("is a zpub", Assert.Throws<KeyFault>(() => AddressSource.Bitcoin(Zpub, BitcoinNetwork.Test)).Message, StringComparison.Ordinal);
        Assert.Contains("is a upub", Assert.Throws<KeyFault>(() => AddressSource.Bitcoin(Upub, BitcoinNetwork.Main)).Message, StringComparison.Ordinal);
        var several = Base58Check.Encode([0x02, 0xaa, 0x7e, 0xd3, .. Base58Check.Decode(Zpub)!.AsSpan(4)]);
        Assert.Contains("Zpub", Assert.Throws<KeyFault>(() => AddressSource.Bitcoin(several, BitcoinNetwork.Main)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hardened_index_has_no_address() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => AddressSource.Evm(Xpub).At(0x80000000));

    [Fact]
    public void Many_callers_at_once_get_the_addresses_that_one_gets()
    {
        var source = AddressSource.Evm(Xpub);
        var alone = Enumerable.Range(0, 500).Select(i => source.At((uint)i)).ToArray();
        var together = new string[alone.Length];
        Parallel.For(0, alone.Length, i => together[i] = source.At((uint)i));
        Assert.Equal(alone, together);
        Assert.Equal(alone.Length, alone.Distinct().Count());
    }
}
