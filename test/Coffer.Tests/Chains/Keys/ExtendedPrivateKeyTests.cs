using Coffer.Chains.Keys;

namespace Coffer.Tests.Chains.Keys;

public sealed class ExtendedPrivateKeyTests : IDisposable
{
    private readonly SecretKeys keys = new(new byte[SecretKeys.RandomBytes]);

    public void Dispose() => keys.Dispose();

    [Fact]
    public void Every_key_of_the_bip_32_vectors_follows_from_its_seed_in_steps_and_at_once() => Assert.All(Bip32Vectors.Valid, vector =>
    {
        using var master = ExtendedPrivateKey.FromSeed(Convert.FromHexString(vector.Seed), keys);
        Assert.Equal(vector.Chains[0].Public, master.Public().ToString());
        foreach (var (path, text) in vector.Chains[1..])
        {
            uint[] steps = [.. path.Split('/')[1..].Select(step => uint.Parse(step.TrimEnd('\'')) + (step.EndsWith('\'') ? ExtendedPrivateKey.Hardened : 0))];
            using var key = master.Descendant(steps);
            Assert.Equal(text, key.Public().ToString());
            Assert.Equal((steps.Length, "xpub"), (key.Depth, key.Prefix.Word));
        }
    });

    // BIP32, test vector 1, chain m/0'/1/2'.
    [Fact]
    public void A_text_is_read_written_and_followed_like_its_public_half()
    {
        using var key = ExtendedPrivateKey.Parse(
            "xprv9z4pot5VBttmtdRTWfWQmoH1taj2axGVzFqSb8C9xaxKymcFzXBDptWmT7FwuEzG3ryjH4ktypQSAewRiNMjANTtpgP4mLTj34bhnZX7UiM", keys);
        Assert.Equal("xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5",
            key.Public().ToString());
        var bytes = new byte[ExtendedPrivateKey.Bytes];
        key.Write(bytes);
        using var again = ExtendedPrivateKey.Read(bytes, keys);
        using var child = again.Child(2);
        Assert.Equal(key.Public().Child(2).ToString(), child.Public().ToString());
        Assert.Equal("zpub", key.Public(ExtendedKeyPrefix.All.Single(prefix => prefix.Word == "zpub")).Prefix.Word);
    }

    [Fact]
    public void A_text_that_is_no_private_key_is_refused_and_not_repeated()
    {
        foreach (var (text, reason, _) in Bip32Vectors.Invalid)
            Assert.DoesNotContain(text[4..12], Assert.Throws<KeyFault>(() => ExtendedPrivateKey.Parse(text, keys)).Message, StringComparison.Ordinal);
        Assert.Contains("public", Assert.Throws<KeyFault>(() => ExtendedPrivateKey.Parse(Bip32Vectors.Valid[0].Chains[0].Public, keys)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_has_ended_is_zeros()
    {
        var key = ExtendedPrivateKey.FromSeed(new byte[32], keys);
        Assert.True(key.Secret.ContainsAnyExcept((byte)0));
        key.Dispose();
        Assert.False(key.Secret.ContainsAnyExcept((byte)0));
    }
}
