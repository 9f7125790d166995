using FsCheck;
using FsCheck.Fluent;

namespace Coffer.Tests.Rules;

/// <summary>Generators that reach every width of a number, not only the small ones.</summary>
internal static class Numbers
{
    private static readonly Gen<Int128> Bits =
        from width in Gen.Choose(1, 127)
        from a in Gen.Choose(0, int.MaxValue)
        from b in Gen.Choose(0, int.MaxValue)
        from c in Gen.Choose(0, int.MaxValue)
        from d in Gen.Choose(0, int.MaxValue)
        from e in Gen.Choose(0, 7)
        let wide = ((Int128)e << 124) | ((Int128)a << 93) | ((Int128)b << 62) | ((Int128)c << 31) | (Int128)d
        select wide & (Int128.MaxValue >> (127 - width));

    /// <summary>0 to 10^38 - 1.</summary>
    public static Arbitrary<Int128> Amounts { get; } = Bits.Select(v => v % (Amount.Max + 1)).ToArbitrary();

    /// <summary>Any, both signs.</summary>
    public static Arbitrary<Int128> Signed { get; } =
        (from v in Bits from negative in Gen.Elements(true, false) select negative ? -v : v).ToArbitrary();

    /// <summary>0 to 30.</summary>
    public static Arbitrary<int> Decimals { get; } = Gen.Choose(0, Amount.DecimalsMax).ToArbitrary();
}
