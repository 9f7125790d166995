using System.Security.Cryptography;

namespace Coffer.Chains.Keys;

/// <summary>RIPEMD-160 of SHA-256: what Bitcoin calls a key or a script by.</summary>
public static class Hash160
{
    /// <summary>The length of a hash, in bytes.</summary>
    public const int Bytes = Ripemd160.Bytes;

    /// <summary>The hash of any number of bytes.</summary>
    public static byte[] Hash(ReadOnlySpan<byte> input)
    {
        Span<byte> inner = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input, inner);
        return Ripemd160.Hash(inner);
    }
}
