using System.Buffers.Binary;
using System.Text;
using Coffer.Chains.Keys;

namespace Coffer.Server.Signer;

/// <summary>What a secret of the keystore is; the numbers are in the file and stay.</summary>
internal enum StoredKind : byte
{
    /// <summary>The key that the lines of the log are authenticated with, 32 bytes.</summary>
    Log = 1,

    /// <summary>A seed of BIP32: keys of every family come from it.</summary>
    Seed = 2,

    /// <summary>One secret key for EVM chains.</summary>
    Evm = 3,

    /// <summary>One secret key for Tron.</summary>
    Tron = 4,

    /// <summary>An account's extended private key for Bitcoin, the bytes of BIP32.</summary>
    Bitcoin = 5,
}

/// <summary>One secret of the keystore under its name.</summary>
internal sealed record StoredKey(string Name, StoredKind Kind, SecretBytes Secret) : IDisposable
{
    /// <summary>The most characters of a name.</summary>
    public const int NameMax = 40;

    /// <summary>The name of the log's key, which nobody else may have.</summary>
    public const string LogName = "log";

    private const int HeadBytes = 4;

    public static bool IsName(string name) => name.Length is >= 1 and <= NameMax && char.IsAsciiLetterLower(name[0])
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    public void Dispose() => Secret.Dispose();

    /// <summary>All of them as bytes: kind, length of the name, length of the secret (two bytes), name, secret.</summary>
    public static SecretBytes Write(IReadOnlyList<StoredKey> all)
    {
        var bytes = new SecretBytes(all.Sum(one => HeadBytes + one.Name.Length + one.Secret.Length));
        var to = bytes.Span;
        foreach (var (name, kind, secret) in all)
        {
            (to[0], to[1]) = ((byte)kind, (byte)name.Length);
            BinaryPrimitives.WriteUInt16BigEndian(to[2..], (ushort)secret.Length);
            Encoding.ASCII.GetBytes(name, to[HeadBytes..]);
            secret.Span.CopyTo(to[(HeadBytes + name.Length)..]);
            to = to[(HeadBytes + name.Length + secret.Length)..];
        }

        return bytes;
    }

    /// <summary>Reads what <see cref="Write"/> wrote; null for anything else.</summary>
    public static List<StoredKey>? Read(ReadOnlySpan<byte> bytes)
    {
        var all = new List<StoredKey>();
        while (bytes.Length >= HeadBytes)
        {
            var (kind, name, secret) = ((StoredKind)bytes[0], (int)bytes[1], (int)BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]));
            if (!Enum.IsDefined(kind) || bytes.Length < HeadBytes + name + secret)
                return null;
            all.Add(new StoredKey(Encoding.ASCII.GetString(bytes.Slice(HeadBytes, name)), kind,
                new SecretBytes(bytes.Slice(HeadBytes + name, secret))));
            bytes = bytes[(HeadBytes + name + secret)..];
        }

        return bytes.IsEmpty ? all : null;
    }
}
