using System.Buffers.Binary;

namespace Coffer.Server.Host;

/// <summary>Fills a span with random bytes; the operating system's generator in the product.</summary>
internal delegate void RandomBytes(Span<byte> bytes);

/// <summary>New ids: UUIDs of version 7 (RFC 9562, 5.7), from the clock and the random source that were passed in.</summary>
internal sealed class Ids(TimeProvider time, RandomBytes random)
{
    public Guid New() => At(time.GetUtcNow());

    public MovementId Movement() => new(New());

    /// <summary>An id as if made at that time, so that history that is written later still sorts where it belongs.</summary>
    public Guid At(DateTimeOffset at)
    {
        Span<byte> bytes = stackalloc byte[16];
        random(bytes[6..]);
        Span<byte> milliseconds = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(milliseconds, at.ToUnixTimeMilliseconds());
        milliseconds[2..].CopyTo(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x70);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
