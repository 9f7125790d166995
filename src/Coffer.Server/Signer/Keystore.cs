using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Coffer.Chains.Keys;
using Coffer.Server.Host;

namespace Coffer.Server.Signer;

/// <summary>
/// The signer's keys in one JSON file, sealed with AES-256-GCM. What is not sealed, how the key is derived, is authenticated with the
/// rest. The file is written whole or not at all, for its owner alone.
///
///     {"coffer_keystore":1,"kdf":"pbkdf2-hmac-sha256" | "key","rounds":600000,"salt":hex,"nonce":hex,"sealed":hex}
/// </summary>
internal static class Keystore
{
    private const string ByPassphrase = "pbkdf2-hmac-sha256", ByKey = "key";
    private const int Version = 1, SaltBytes = 32, NonceBytes = 12, TagBytes = 16;
    private const int FileBytesMax = 1_000_000;

    /// <summary>Seals keys into a file, over the one that is there.</summary>
    public static void Write(string file, IReadOnlyList<StoredKey> keys, KeystoreLock opener, RandomBytes random)
    {
        var header = new Header(opener.IsPassphrase ? ByPassphrase : ByKey, opener.IsPassphrase ? KeystoreLock.RoundsMin : 0,
            new byte[SaltBytes], new byte[NonceBytes]);
        random(header.Salt);
        random(header.Nonce);
        using var content = StoredKey.Write(keys);
        var sealedBytes = new byte[content.Length + TagBytes];
        using (var key = opener.Key(header.Salt, header.Rounds))
        using (var aes = new AesGcm(key.Span, TagBytes))
            aes.Encrypt(header.Nonce, content.Span, sealedBytes.AsSpan(TagBytes), sealedBytes.AsSpan(0, TagBytes), header.Authenticated());
        PrivateFile.Write(file, Answer.Bytes(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("coffer_keystore"u8, Version);
            json.WriteString("kdf"u8, header.Kdf);
            json.WriteNumber("rounds"u8, header.Rounds);
            json.WriteString("salt"u8, Convert.ToHexStringLower(header.Salt));
            json.WriteString("nonce"u8, Convert.ToHexStringLower(header.Nonce));
            json.WriteString("sealed"u8, Convert.ToHexStringLower(sealedBytes));
            json.WriteEndObject();
        }));
    }

    /// <summary>Whether a keystore opens with a passphrase; false: with a key.</summary>
    /// <exception cref="SetupFailure">There is none, or it is no keystore.</exception>
    public static bool WantsPassphrase(string file) => Open(file).Header.Kdf == ByPassphrase;

    /// <summary>The keys of a file.</summary>
    /// <exception cref="SetupFailure">One sentence: it is no keystore, or does not open with this.</exception>
    public static List<StoredKey> Read(string file, KeystoreLock opener)
    {
        var (header, sealedBytes) = Open(file);
        if (header.Kdf == ByPassphrase != opener.IsPassphrase)
            throw new SetupFailure($"The keystore {file} opens with a {(opener.IsPassphrase ? "key file" : "passphrase")}: give that one.");
        using var content = new SecretBytes(sealedBytes.Length - TagBytes);
        try
        {
            using var key = opener.Key(header.Salt, header.Rounds);
            using var aes = new AesGcm(key.Span, TagBytes);
            aes.Decrypt(header.Nonce, sealedBytes.AsSpan(TagBytes), sealedBytes.AsSpan(0, TagBytes), content.Span, header.Authenticated());
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new SetupFailure(
                $"The keystore {file} does not open: the {(opener.IsPassphrase ? "passphrase" : "key")} is wrong, or the file was changed.");
        }

        return StoredKey.Read(content.Span) ?? throw new SetupFailure($"The keystore {file} was written by a later version of Coffer.");
    }

    private static (Header Header, byte[] Sealed) Open(string file)
    {
        try
        {
            if (new FileInfo(file).Length > FileBytesMax)
                throw Broken(file, "is too large for one");
            using var document = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { AllowDuplicateProperties = false });
            var root = document.RootElement;
            var header = new Header(root.GetProperty("kdf").GetString()!, root.GetProperty("rounds").GetInt32(),
                Convert.FromHexString(root.GetProperty("salt").GetString()!), Convert.FromHexString(root.GetProperty("nonce").GetString()!));
            var sealedBytes = Convert.FromHexString(root.GetProperty("sealed").GetString()!);
            if (root.GetProperty("coffer_keystore").GetInt32() != Version || root.EnumerateObject().Count() != 6
                || header.Kdf is not (ByPassphrase or ByKey) || header.Salt.Length != SaltBytes || header.Nonce.Length != NonceBytes
                || sealedBytes.Length < TagBytes)
                throw Broken(file, "has other parts than one has");
            if (header.Kdf == ByPassphrase && header.Rounds is < KeystoreLock.RoundsMin or > KeystoreLock.RoundsMax)
                throw Broken(file, $"asks for {header.Rounds} rounds of PBKDF2, which must be {KeystoreLock.RoundsMin} or more");
            return (header, sealedBytes);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SetupFailure($"There is no keystore {file}: name it with --keystore, or make one with `coffer signer init`.");
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            or ArgumentNullException)
        {
            throw Broken(file, "is cut off or not JSON");
        }
    }

    private static SetupFailure Broken(string file, string why) =>
        new($"The file {file} is no keystore, or was damaged: it {why}. Take it from a backup.");

    private sealed record Header(string Kdf, int Rounds, byte[] Salt, byte[] Nonce)
    {
        public byte[] Authenticated() => Encoding.ASCII.GetBytes(
            FormattableString.Invariant($"coffer_keystore {Version} {Kdf} {Rounds} {Convert.ToHexStringLower(Salt)}"));
    }
}
