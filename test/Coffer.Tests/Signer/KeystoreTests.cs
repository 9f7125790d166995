using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Coffer.Chains.Keys;
using Coffer.Server.Host;
using Coffer.Server.Signer;

namespace Coffer.Tests.Signer;

public sealed class KeystoreTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("coffer-keystore-").FullName;

    private string Store => Path.Combine(folder, "keystore.json");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Keys_come_back_with_the_same_passphrase_and_only_their_owner_may_read_the_file()
    {
        using var opener = Phrase("correct horse battery");
        Keystore.Write(Store, Keys(), opener, RandomNumberGenerator.Fill);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Store));
        Assert.True(Keystore.WantsPassphrase(Store));
        var read = Keystore.Read(Store, opener);
        Assert.Equal(Keys().Select(Text), read.Select(Text));
        var text = File.ReadAllText(Store);
        Assert.All(Keys(), key => Assert.DoesNotContain(Convert.ToHexStringLower(key.Secret.Span), text, StringComparison.Ordinal));

        // The same keys again look otherwise: salt and nonce are new.
        Keystore.Write(Store, Keys(), opener, RandomNumberGenerator.Fill);
        Assert.NotEqual(JsonNode.Parse(text)!["sealed"]!.ToString(), JsonNode.Parse(File.ReadAllText(Store))!["sealed"]!.ToString());
    }

    // The numbers of the file itself, computed here without the product's code.
    [Fact]
    public void The_file_is_aes_256_gcm_under_pbkdf2_with_600_000_rounds()
    {
        using var opener = Phrase("correct horse battery");
        Keystore.Write(Store, Keys(), opener, RandomNumberGenerator.Fill);
        var file = JsonNode.Parse(File.ReadAllText(Store))!;
        Assert.Equal(600_000, (int)file["rounds"]!);
        var salt = (string)file["salt"]!;
        var key = Rfc2898DeriveBytes.Pbkdf2("correct horse battery", Convert.FromHexString(salt), 600_000, HashAlgorithmName.SHA256, 32);
        var sealedBytes = Convert.FromHexString((string)file["sealed"]!);
        var content = new byte[sealedBytes.Length - 16];
        using var aes = new AesGcm(key, 16);
        aes.Decrypt(Convert.FromHexString((string)file["nonce"]!), sealedBytes.AsSpan(16), sealedBytes.AsSpan(0, 16), content,
            Encoding.ASCII.GetBytes($"coffer_keystore 1 pbkdf2-hmac-sha256 600000 {salt}"));
        Assert.Contains(Convert.ToHexString(Keys()[1].Secret.Span), Convert.ToHexString(content), StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_passphrase_or_key_is_one_sentence()
    {
        using var opener = Phrase("correct horse battery");
        Keystore.Write(Store, Keys(), opener, RandomNumberGenerator.Fill);
        using var wrong = Phrase("correct horse batterz");
        Assert.Equal($"The keystore {Store} does not open: the passphrase is wrong, or the file was changed.", Fault(wrong));
        using var key = new KeystoreLock(new SecretBytes(32), false);
        Assert.Equal($"The keystore {Store} opens with a passphrase: give that one.", Fault(key));
    }

    [Fact]
    public void A_file_that_was_changed_anywhere_or_cut_off_does_not_open()
    {
        using var opener = new KeystoreLock(new SecretBytes(SHA256.HashData("key"u8)), false);
        Keystore.Write(Store, Keys(), opener, RandomNumberGenerator.Fill);
        var whole = File.ReadAllBytes(Store);
        for (var i = 0; i < whole.Length; i++)
        {
            byte[] changed = [.. whole];
            // Another digit for a digit; another character otherwise.
            changed[i] = changed[i] == (byte)'0' ? (byte)'1' : (byte)'0';
            File.WriteAllBytes(Store, changed);
            Assert.StartsWith("The ", Fault(opener), StringComparison.Ordinal);
            File.WriteAllBytes(Store, whole[..i]);
            Assert.StartsWith("The ", Fault(opener), StringComparison.Ordinal);
        }

        File.WriteAllBytes(Store, whole);
        Assert.Equal(Keys().Count, Keystore.Read(Store, opener).Count);
    }

    [Theory]
    [InlineData(599_999)]
    [InlineData(1)]
    [InlineData(0)]
    [InlineData(-600_000)]
    [InlineData(2_000_000_000)]
    public void A_file_that_asks_for_few_rounds_is_refused_before_the_passphrase_is_used(int rounds)
    {
        using var opener = Phrase("correct horse battery");
        Keystore.Write(Store, Keys(), opener, RandomNumberGenerator.Fill);
        var file = JsonNode.Parse(File.ReadAllText(Store))!;
        file["rounds"] = rounds;
        File.WriteAllText(Store, file.ToJsonString());
        Assert.Contains($"asks for {rounds} rounds of PBKDF2, which must be 600000 or more", Fault(opener), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_says_how_to_make_one()
    {
        using var opener = Phrase("correct horse battery");
        Assert.Equal($"There is no keystore {Store}: name it with --keystore, or make one with `coffer signer init`.", Fault(opener));
    }

    private string Fault(KeystoreLock opener) => Assert.Throws<SetupFailure>(() => Keystore.Read(Store, opener)).Message;

    private static KeystoreLock Phrase(string text) => new(new SecretBytes(Encoding.UTF8.GetBytes(text)), true);

    private static List<StoredKey> Keys() =>
    [
        new("log", StoredKind.Log, new SecretBytes(SHA256.HashData("log"u8))),
        new("main", StoredKind.Seed, new SecretBytes(SHA256.HashData("seed"u8))),
        new("old-one", StoredKind.Evm, new SecretBytes(SHA256.HashData("evm"u8))),
    ];

    private static (string, StoredKind, string) Text(StoredKey key) => (key.Name, key.Kind, Convert.ToHexString(key.Secret.Span));
}
