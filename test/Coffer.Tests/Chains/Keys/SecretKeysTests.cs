using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Coffer.Chains.Keys;

namespace Coffer.Tests.Chains.Keys;

public sealed class SecretKeysTests : IDisposable
{
    private const string Order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    private static readonly byte[] One = Convert.FromHexString(new string('0', 63) + "1");

    private readonly SecretKeys keys = new(new byte[SecretKeys.RandomBytes]);

    public void Dispose() => keys.Dispose();

    // From the seed down every path, hardened steps too: also the leading zeros of vectors 3 and 4.
    [Fact]
    public void Every_key_of_the_bip_32_vectors_follows_from_its_seed() => Assert.All(Bip32Vectors.Valid, vector =>
    {
        var node = HMACSHA512.HashData("Bitcoin seed"u8, Convert.FromHexString(vector.Seed));
        var (secret, code, parent, depth, index) = (node[..32], node[32..], new byte[4], (byte)0, 0u);
        Assert.Equal(vector.Chains[0].Public, Text());
        foreach (var (path, text) in vector.Chains[1..])
        {
            var step = path.Split('/')[^1];
            index = uint.Parse(step.TrimEnd('\'')) + (step.EndsWith('\'') ? 0x80000000 : 0);
            var number = new byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(number, index);
            var child = HMACSHA512.HashData(code, step.EndsWith('\'') ? [0, .. secret, .. number] : [.. keys.PublicKey(secret), .. number]);
            parent = Hash160.Hash(keys.PublicKey(secret))[..4];
            Assert.True(keys.AddTweak(secret, child.AsSpan(0, 32)));
            code = child[32..];
            depth++;
            Assert.Equal(text, Text());
        }

        string Text()
        {
            var number = new byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(number, index);
            return Base58Check.Encode([0x04, 0x88, 0xb2, 0x1e, depth, .. parent, .. number, .. code, .. keys.PublicKey(secret)]);
        }
    });

    // RFC 6979 on secp256k1 with SHA-256, secret 1: vectors that bitcoinjs, Trezor and others share.
    [Theory]
    [InlineData("Satoshi Nakamoto",
        "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5")]
    [InlineData("All those moments will be lost in time, like tears in rain. Time to die...",
        "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21")]
    public void A_signature_is_the_published_one_whatever_the_blinding(string message, string expected)
    {
        using var blinded = new SecretKeys(SHA256.HashData("other"u8));
        foreach (var made in new[] { keys, blinded })
        {
            var signature = new byte[Secp256k1.SignatureBytes];
            made.Sign(SHA256.HashData(Encoding.ASCII.GetBytes(message)), One, made.PublicKey(One), signature);
            Assert.Equal(expected, Convert.ToHexStringLower(signature));
        }
    }

    [Fact]
    public void The_key_is_recovered_from_its_signature_and_from_no_other_hash()
    {
        for (var i = 0; i < 100; i++)
        {
            var secret = SHA256.HashData([(byte)i]);
            var hash = SHA256.HashData(secret);
            var key = keys.PublicKey(secret);
            var signature = new byte[Secp256k1.SignatureBytes];
            var id = keys.Sign(hash, secret, key, signature);
            Assert.Equal(key, PublicKeys.Recover(hash, signature, id));
            Assert.NotEqual(key, PublicKeys.Recover(secret, signature, id));
            Assert.NotEqual(key, PublicKeys.Recover(hash, signature, id ^ 1));
        }
    }

    [Fact]
    public void A_signature_of_another_key_than_the_expected_is_not_handed_out()
    {
        var signature = new byte[Secp256k1.SignatureBytes];
        var other = keys.PublicKey(SHA256.HashData("other"u8));
        Assert.Throws<KeyFault>(() => keys.Sign(SHA256.HashData("x"u8), One, other, signature));
        Assert.Equal(new byte[Secp256k1.SignatureBytes], signature);
    }

    [Fact]
    public void Zero_and_the_order_of_the_curve_are_no_secrets()
    {
        foreach (var secret in new[] { new byte[32], Convert.FromHexString(Order) })
        {
            Assert.False(keys.IsValid(secret));
            Assert.Throws<KeyFault>(() => keys.PublicKey(secret));
            Assert.Throws<KeyFault>(() => keys.Sign(One, secret, keys.PublicKey(One), new byte[64]));
        }
        Assert.True(keys.IsValid(One));
        Assert.False(keys.IsValid(One.AsSpan(1)));
    }

    [Fact]
    public void A_tweak_that_gives_no_key_gives_none()
    {
        var less = Convert.FromHexString(Order);
        less[^1]--;
        var secret = One.ToArray();
        Assert.False(keys.AddTweak(secret, less));
        Assert.Equal(new byte[32], secret);
        Assert.Null(PublicKeys.AddTweak(keys.PublicKey(One), less));
        Assert.Null(PublicKeys.AddTweak(keys.PublicKey(One), Convert.FromHexString(Order)));
    }

    // The library would end the process.
    [Fact]
    public void Buffers_of_a_wrong_length_never_reach_the_library()
    {
        var key = keys.PublicKey(One);
        foreach (var length in new[] { 0, 31, 33 })
        {
            var wrong = new byte[length];
            Assert.Throws<ArgumentOutOfRangeException>(() => new SecretKeys(wrong));
            Assert.Throws<ArgumentOutOfRangeException>(() => keys.PublicKey(wrong));
            Assert.Throws<ArgumentOutOfRangeException>(() => keys.AddTweak(wrong, One));
            Assert.Throws<ArgumentOutOfRangeException>(() => keys.AddTweak(One.ToArray(), wrong));
            Assert.Throws<ArgumentOutOfRangeException>(() => keys.Sign(wrong, One, key, new byte[64]));
            Assert.Throws<ArgumentOutOfRangeException>(() => keys.Sign(One, wrong, key, new byte[64]));
            Assert.Throws<ArgumentOutOfRangeException>(() => keys.Sign(One, One, key, wrong));
            Assert.Throws<ArgumentOutOfRangeException>(() => PublicKeys.AddTweak(key, wrong));
            Assert.Throws<ArgumentOutOfRangeException>(() => PublicKeys.Recover(wrong, new byte[64], 0));
            Assert.Throws<ArgumentOutOfRangeException>(() => PublicKeys.Recover(One, wrong, 0));
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => PublicKeys.Recover(One, new byte[64], 4));
        Assert.Throws<KeyFault>(() => PublicKeys.Uncompress(One));
        Assert.False(PublicKeys.IsValid([4, .. new byte[64]]));
    }

    [Fact]
    public void Nothing_is_signed_after_the_end()
    {
        var ended = new SecretKeys(One);
        ended.Dispose();
        Assert.Throws<ObjectDisposedException>(() => ended.PublicKey(One));
        ended.Dispose();
    }
}
