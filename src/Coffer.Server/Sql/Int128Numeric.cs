#pragma warning disable NPG9001 // Npgsql's converter API is marked as subject to change; this file is the only place that uses it.
using Npgsql.Internal;
using Npgsql.Internal.Postgres;

namespace Coffer.Server.Sql;

/// <summary>
/// Int128 to and from <c>numeric</c>, also in arrays. Npgsql maps numeric to decimal, which ends at 28 digits, and to
/// BigInteger, which allocates; amounts have up to 38 digits and are read on every request.
/// Wire format: PostgreSQL's numeric_send: digit count, weight, sign, scale, then digits of base 10,000.
/// </summary>
internal sealed class Int128Numeric : PgTypeInfoResolverFactory
{
    public override IPgTypeInfoResolver CreateResolver() => new Resolver();

    public override IPgTypeInfoResolver CreateArrayResolver() => new ArrayResolver();

    private class Resolver : IPgTypeInfoResolver
    {
        protected static TypeInfoMappingCollection Add(TypeInfoMappingCollection mappings)
        {
            mappings.AddStructType<Int128>("numeric", static (options, mapping, _) => mapping.CreateInfo(options, new Converter()));
            return mappings;
        }

        private readonly TypeInfoMappingCollection _mappings = Add(new());

        public PgTypeInfo? GetTypeInfo(Type? type, DataTypeName? dataTypeName, PgSerializerOptions options) =>
            _mappings.Find(type, dataTypeName, options);
    }

    private sealed class ArrayResolver : Resolver, IPgTypeInfoResolver
    {
        private readonly TypeInfoMappingCollection _mappings = Arrays();

        private static TypeInfoMappingCollection Arrays()
        {
            var mappings = Add(new());
            mappings.AddStructArrayType<Int128>("numeric");
            return mappings;
        }

        public new PgTypeInfo? GetTypeInfo(Type? type, DataTypeName? dataTypeName, PgSerializerOptions options) =>
            _mappings.Find(type, dataTypeName, options);
    }

    private sealed class Converter : PgBufferedConverter<Int128>
    {
        private const int HeaderBytes = 8;
        private const int DigitsMax = 10; // 40 decimal digits hold every Int128 that numeric(38,0) can
        private const short Negative = 0x4000;
        private const short BaseDigits = 10_000;

        public override bool CanConvert(DataFormat format, out BufferRequirements bufferRequirements)
        {
            bufferRequirements = BufferRequirements.Create(Size.CreateUpperBound(HeaderBytes + (DigitsMax * sizeof(short))));
            return format is DataFormat.Binary;
        }

        public override Size GetSize(SizeContext context, Int128 value, ref object? writeState)
        {
            Span<short> digits = stackalloc short[DigitsMax];
            Split(value, digits, out var count, out _);
            return HeaderBytes + (count * sizeof(short));
        }

        protected override Int128 ReadCore(PgReader reader)
        {
            var count = reader.ReadInt16();
            var weight = reader.ReadInt16();
            var sign = reader.ReadInt16();
            _ = reader.ReadInt16(); // display scale: 0 for integers
            if (sign is not (0 or Negative) || count > weight + 1 || weight >= DigitsMax)
                throw new InvalidCastException("A numeric that is not an integer of at most 38 digits was read as an amount.");
            var magnitude = UInt128.Zero;
            for (var i = 0; i <= weight; i++)
                magnitude = (magnitude * (ulong)BaseDigits) + (ulong)(i < count ? reader.ReadInt16() : 0);
            var value = checked((Int128)magnitude);
            return sign == Negative ? -value : value;
        }

        protected override void WriteCore(PgWriter writer, Int128 value)
        {
            Span<short> digits = stackalloc short[DigitsMax];
            Split(value, digits, out var count, out var weight);
            writer.WriteInt16((short)count);
            writer.WriteInt16((short)weight);
            writer.WriteInt16(value < 0 ? Negative : (short)0);
            writer.WriteInt16(0);
            for (var i = 0; i < count; i++)
                writer.WriteInt16(digits[i]);
        }

        /// <summary>Base-10,000 digits, most significant first, without trailing zero digits (they are implied by the weight).</summary>
        private static void Split(Int128 value, Span<short> digits, out int count, out int weight)
        {
            var magnitude = value < 0 ? (UInt128)(-value) : (UInt128)value;
            Span<short> reversed = stackalloc short[DigitsMax];
            var length = 0;
            while (magnitude > ulong.MaxValue)
            {
                var quotient = magnitude / (ulong)BaseDigits;
                reversed[length++] = (short)(ulong)(magnitude - (quotient * (ulong)BaseDigits));
                magnitude = quotient;
            }

            for (var small = (ulong)magnitude; small != 0; small /= (ulong)BaseDigits)
                reversed[length++] = (short)(small % (ulong)BaseDigits);
            weight = length == 0 ? 0 : length - 1;
            var trailing = 0;
            while (trailing < length && reversed[trailing] == 0)
                trailing++;
            count = length - trailing;
            for (var i = 0; i < count; i++)
                digits[i] = reversed[length - 1 - i];
        }
    }
}
