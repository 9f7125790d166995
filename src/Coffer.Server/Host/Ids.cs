using System.Buffers.Binary;

namespace Coffer.Server.Host;

/// <summary>Fills a span with random bytes; the operating system's generator in the product.</summary>
internal delegate void RandomBytes(Span<byte> bytes);

/// <summary>
/// New ids: UUIDs of version 7 (RFC 9562, 5.7), from the clock and the random source that were passed in. Those of one millisecond are
/// counted (6.2, method 1), so that what one process makes in order also sorts in order.
/// </summary>
internal sealed class Ids(TimeProvider time, RandomBytes random)
{
    private const int CounterBits = 12;
    private const int RandomPart = 8;
    private const int AheadBytes = 512 * RandomPart;

    // The last millisecond, and how many ids it has had.
    private long _last;

    // Asking the source costs much the same for 8 bytes as for 4,096.
    private readonly Lock _lock = new();
    private readonly byte[] _ahead = new byte[AheadBytes];
    private int _used = AheadBytes;

    public Guid New()
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        while (true)
        {
            var last = Volatile.Read(ref _last);
            // A clock that went back starts anew; after 4,096 ids the count runs into the next millisecond.
            var next = last >> CounterBits == now ? last + 1 : now << CounterBits;
            if (Interlocked.CompareExchange(ref _last, next, last) == last)
                return Of(next);
        }
    }

    public MovementId Movement() => new(New());

    /// <summary>An id as if made at that time, so that history that is written later still sorts where it belongs.</summary>
    public Guid At(DateTimeOffset at) => Of(at.ToUnixTimeMilliseconds() << CounterBits);

    private Guid Of(long counted)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes, counted >> CounterBits << 16);
        BinaryPrimitives.WriteInt16BigEndian(bytes[6..], (short)(0x7000 | (counted & 0xFFF)));
        Take(bytes[RandomPart..]);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>Random bytes that nothing else has had.</summary>
    private void Take(Span<byte> part)
    {
        lock (_lock)
        {
            if (_used == AheadBytes)
            {
                random(_ahead);
                _used = 0;
            }

            _ahead.AsSpan(_used, RandomPart).CopyTo(part);
            _used += RandomPart;
        }
    }
}
