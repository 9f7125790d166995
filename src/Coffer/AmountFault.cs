namespace Coffer;

/// <summary>Why a text is not an amount; <see cref="AmountFaults.Sentence"/> says what to do about it.</summary>
public enum AmountFault
{
    /// <summary>It is one.</summary>
    None,

    /// <summary>There is no text.</summary>
    Empty,

    /// <summary>It starts with a minus.</summary>
    Negative,

    /// <summary>Something else than digits with an optional point and digits after it.</summary>
    NotPlain,

    /// <summary>More digits after the point than the currency has.</summary>
    TooManyDecimals,

    /// <summary>More than 38 digits of smallest units.</summary>
    TooLarge,

    /// <summary>Zero where money shall move.</summary>
    Zero,
}

/// <summary>The words for each <see cref="AmountFault"/>.</summary>
public static class AmountFaults
{
    /// <summary>One sentence that tells the caller what to write instead.</summary>
    /// <param name="fault">Any fault but <see cref="AmountFault.None"/>.</param>
    /// <param name="decimals">The decimals of the currency that the text was read for.</param>
    public static string Sentence(this AmountFault fault, int decimals) => fault switch
    {
        AmountFault.Empty => "Give an amount, for example \"12.50\".",
        AmountFault.Negative => "Give an amount without a sign; amounts are never negative.",
        AmountFault.NotPlain =>
            "Write plain digits, with a point if needed, like \"12.50\": no sign, exponent, spaces, separators or leading zeros.",
        AmountFault.TooManyDecimals when decimals == 0 => "Write a whole number; this currency has no decimals.",
        AmountFault.TooManyDecimals => $"Write at most {decimals} digits after the point; this currency has no more.",
        AmountFault.TooLarge =>
            $"Give a smaller amount; {Amount.DigitsMax - decimals} digits before the point are the most for this currency.",
        AmountFault.Zero => "Give an amount greater than zero.",
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, "This is not a fault."),
    };
}
