using System.Security.Cryptography;

namespace Coffer.Chains.Keys;

/// <summary>Bytes that nobody else shall see: the collector never moves them, so no copy stays behind, and they are zeroed at the end.</summary>
public sealed class SecretBytes : IDisposable
{
    private readonly byte[] bytes;

    /// <summary>Zeros.</summary>
    /// <param name="length">How many, at least 0.</param>
    public SecretBytes(int length) => bytes = GC.AllocateArray<byte>(length, pinned: true);

    /// <summary>A copy of bytes that the caller clears.</summary>
    public SecretBytes(ReadOnlySpan<byte> from)
        : this(from.Length) => from.CopyTo(bytes);

    /// <summary>How many.</summary>
    public int Length => bytes.Length;

    /// <summary>The bytes themselves; zeros after the end.</summary>
    public Span<byte> Span => bytes;

    /// <summary>Zeroes them. May be called again.</summary>
    public void Dispose() => CryptographicOperations.ZeroMemory(bytes);
}
