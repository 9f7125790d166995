using Coffer.Chains.Keys;

namespace Coffer.Tests.Chains.Keys;

public sealed class ExtendedPublicKeyTests
{
    private static readonly string AccountKey = Bip32Vectors.Valid[0].Chains[3].Public;

    [Fact]
    public void Every_public_key_of_the_vectors_is_read_and_written_back() =>
        Assert.All(Bip32Vectors.Valid.SelectMany(v => v.Chains), chain =>
        {
            var key = ExtendedPublicKey.Parse(chain.Public);
            Assert.Equal(chain.Public, key.ToString());
            Assert.Equal(chain.Path.Count(c => c == '/'), key.Depth);
        });

    [Fact]
    public void Every_child_of_the_vectors_that_needs_no_private_key_is_derived()
    {
        var derived = 0;
        foreach (var (_, chains) in Bip32Vectors.Valid)
        {
            for (var i = 1; i < chains.Length; i++)
            {
                var step = chains[i].Path.Split('/')[^1];
                if (step.EndsWith('\''))
                    continue;
                var child = ExtendedPublicKey.Parse(chains[i - 1].Public).Child(uint.Parse(step));
                Assert.Equal(chains[i].Public, child.ToString());
                Assert.Equal(Convert.ToHexString(child.Key), Convert.ToHexString(ExtendedPublicKey.Parse(chains[i - 1].Public).ChildKey(uint.Parse(step))));
                derived++;
            }
        }
        Assert.Equal(6, derived);
    }

    [Fact]
    public void Every_invalid_key_of_the_vectors_is_refused_for_its_own_reason() => Assert.All(Bip32Vectors.Invalid, vector =>
    {
        var fault = Assert.Throws<KeyFault>(() => ExtendedPublicKey.Parse(vector.Text));
        Assert.Contains(vector.Word, fault.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void A_private_key_is_refused_before_anything_else_and_never_repeated()
    {
        string[] texts =
        [
            "xprv9z4pot5VBttmtdRTWfWQmoH1taj2axGVzFqSb8C9xaxKymcFzXBDptWmT7FwuEzG3ryjH4ktypQSAewRiNMjANTtpgP4mLTj34bhnZX7UiM",
            "zprvAdG4iTXWBoARxkkzNpNh8r6Qag3irQB8PzEMkAFeTRXxHpbF9z4QgEvBRmfvqWvGp42t42nvgGpNgYSJA9iefm1yYNZKEm7z6qUWCroSQnE",
            "xprv9z4pot5VBttmtdRTWfWQmoH1taj2axGVzFqSb8C9xaxKymcFzXBDptWmT7FwuEzG3ryjH4ktypQSAewRiNMjANTtpgP4mLTj34bhnZX7UiN",
        ];
        Assert.All(texts, text =>
        {
            var fault = Assert.Throws<KeyFault>(() => ExtendedPublicKey.Parse(text));
            Assert.Contains("must not be given private keys", fault.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(text[5..20], fault.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Every_single_changed_character_is_refused()
    {
        for (var i = 0; i < AccountKey.Length; i++)
        {
            var text = AccountKey[..i] + (AccountKey[i] == '2' ? '3' : '2') + AccountKey[(i + 1)..];
            Assert.Throws<KeyFault>(() => ExtendedPublicKey.Parse(text));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("xpub")]
    [InlineData("zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZY ")]
    [InlineData("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2")]
    public void Other_texts_are_refused(string text) => Assert.Throws<KeyFault>(() => ExtendedPublicKey.Parse(text));

    [Fact]
    public void A_hardened_child_cannot_be_asked_for()
    {
        var key = ExtendedPublicKey.Parse(AccountKey);
        Assert.Throws<ArgumentOutOfRangeException>(() => key.Child(0x80000000));
        Assert.Throws<ArgumentOutOfRangeException>(() => key.ChildKey(uint.MaxValue));
        Assert.NotNull(key.Child(ExtendedPublicKey.IndexMax));
    }

    [Fact]
    public void The_fingerprint_is_the_one_that_children_name_their_parent_by() =>
        Assert.All(Bip32Vectors.Valid.SelectMany(v => v.Chains.Zip(v.Chains.Skip(1))), pair => Assert.Equal(
            ExtendedPublicKey.Parse(pair.First.Public).Fingerprint,
            Convert.ToHexStringLower(Base58Check.Decode(pair.Second.Public).AsSpan(5, 4))));

    [Fact]
    public void No_child_lies_below_depth_255()
    {
        var key = ExtendedPublicKey.Parse(AccountKey);
        while (key.Depth < 255)
            key = key.Child(0);
        Assert.Throws<KeyFault>(() => key.Child(0));
    }
}
