using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Coffer.Chains.Simulated;

/// <summary>
/// Addresses on the simulated chain: <c>sim1</c>, 40 hex digits, 8 hex digits of checksum, all lower case. Derived like real ones from who
/// owns them and an index, so the same index gives the same address for ever; the checksum refuses a mistyped one.
/// </summary>
public static class SimulatedAddress
{
    private const string Prefix = "sim1";
    private const int BodyDigits = 40;
    private const int ChecksumDigits = 8;

    /// <summary>The length of every address, in characters.</summary>
    public const int Length = 52;

    /// <summary>The address of a wallet on a network (e.g. <c>ETH</c>) at an index from 0. Throws on a negative index.</summary>
    public static string Make(AccountId account, WalletId wallet, string network, long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        var text = Encoding.UTF8.GetBytes(network);
        Span<byte> seed = stackalloc byte[40];
        account.Value.TryWriteBytes(seed, bigEndian: true, out _);
        wallet.Value.TryWriteBytes(seed[16..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(seed[32..], index);
        var body = Prefix + Convert.ToHexStringLower(SHA256.HashData([.. seed, .. text]))[..BodyDigits];
        return body + Checksum(body);
    }

    /// <summary>True for the exact spelling of an address, checksum included.</summary>
    public static bool IsValid(string? address)
    {
        if (address is null || address.Length != Length || !address.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        foreach (var digit in address.AsSpan(Prefix.Length))
            if (!char.IsAsciiHexDigitLower(digit))
                return false;
        return address.EndsWith(Checksum(address[..^ChecksumDigits]), StringComparison.Ordinal);
    }

    private static string Checksum(string body) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(body)))[..ChecksumDigits];
}
