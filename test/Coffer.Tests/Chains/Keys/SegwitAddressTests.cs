using Coffer.Chains.Keys;

namespace Coffer.Tests.Chains.Keys;

public sealed class SegwitAddressTests
{
    [Fact]
    public void Valid_texts_are_read_and_written_back_in_lower_case()
    {
        Assert.All(SegwitVectors.Bech32, text => Written(text, Bech32Kind.Bech32));
        Assert.All(SegwitVectors.Bech32m, text => Written(text, Bech32Kind.Bech32m));
    }

    [Fact]
    public void Texts_that_are_not_valid_are_refused()
    {
        Assert.All(SegwitVectors.NotBech32, text => Assert.Null(Bech32.Decode(text)));
        Assert.All(SegwitVectors.NotBech32m, text => Assert.Null(Bech32.Decode(text)));
    }

    [Fact]
    public void Addresses_mean_the_scripts_of_the_vectors_and_back() => Assert.All(SegwitVectors.Addresses, vector =>
    {
        var prefix = vector.Address[..2].ToLowerInvariant();
        var (version, program) = SegwitAddress.Decode(prefix, vector.Address)!.Value;
        byte[] script = [(byte)(version == 0 ? 0 : 0x50 + version), (byte)program.Length, .. program];
        Assert.Equal(vector.Script, Convert.ToHexStringLower(script));
        Assert.Equal(vector.Address.ToLowerInvariant(), SegwitAddress.Encode(prefix, version, program));
        Assert.Null(SegwitAddress.Decode(prefix == "bc" ? "tb" : "bc", vector.Address));
    });

    [Fact]
    public void Texts_that_are_no_addresses_are_refused() => Assert.All(SegwitVectors.NotAddresses, vector =>
    {
        Assert.Null(SegwitAddress.Decode("bc", vector.Address));
        Assert.Null(SegwitAddress.Decode("tb", vector.Address));
    });

    private static void Written(string text, Bech32Kind kind)
    {
        var said = Bech32.Decode(text);
        Assert.NotNull(said);
        Assert.Equal(kind, said.Kind);
        Assert.Equal(text.ToLowerInvariant(), Bech32.Encode(said.Prefix, said.Values, said.Kind));
    }
}
