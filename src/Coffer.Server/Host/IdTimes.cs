using System.Buffers.Binary;

namespace Coffer.Server.Host;

/// <summary>The time in an id of <see cref="Ids"/>: milliseconds since 1970 in its first 48 bits. So a range of ids is a range of time.</summary>
internal static class IdTimes
{
    private const int RandomBits = 16;

    /// <summary>When the id was made.</summary>
    public static DateTimeOffset Of(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(bytes) >>> RandomBits);
    }

    /// <summary>An id that is not above any made at this millisecond, and above all made before.</summary>
    public static Guid First(DateTimeOffset at)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        BinaryPrimitives.WriteInt64BigEndian(bytes, Math.Max(0, at.ToUnixTimeMilliseconds()) << RandomBits);
        return new Guid(bytes, bigEndian: true);
    }
}
