namespace Coffer.Chains.Bitcoin;

/// <summary>
/// How large the transactions of the hot wallet are, in virtual bytes (BIP141), before anything is signed: its inputs are P2WPKH, whose
/// signatures are at most 72 bytes with the sighash byte (BIP146), so a signed transaction is never larger and at most a quarter of a
/// virtual byte for each byte of signature smaller.
/// </summary>
internal static class BitcoinSize
{
    /// <summary>Outpoint, empty script and sequence are 41 bytes; the witness, two items of at most 72 and 33 bytes, counts a quarter.</summary>
    public const int Input = 68;

    /// <summary>An output that pays a P2WPKH address, as change does.</summary>
    public const int Change = 31;

    /// <summary>Version, lock time, counts of inputs and outputs of one byte each, and the mark of witnesses.</summary>
    private const int Frame = 11;

    /// <summary>The most inputs, and outputs, whose count is one byte.</summary>
    private const int ShortCountMax = 252;

    /// <summary>The most inputs of one transaction: the size grows evenly up to here, and 14,000 virtual bytes relay everywhere.</summary>
    public const int InputsMax = 200;

    /// <summary>What nodes take as the cost of one virtual byte when they call an output dust, in satoshi (Core's dust relay fee).</summary>
    private const int DustRate = 3;

    /// <summary>What it takes to spend an output of a witness program, and of any other kind, as Core counts it.</summary>
    private const int WitnessSpend = 67, PlainSpend = 148;

    /// <summary>One output with a script of so many bytes.</summary>
    public static int Output(int scriptBytes) => 8 + 1 + scriptBytes;

    /// <summary>A transaction with these outputs and no inputs yet; each input adds <see cref="Input"/>.</summary>
    public static int Without(IEnumerable<int> scriptBytes)
    {
        var (size, count) = (Frame, 0);
        foreach (var bytes in scriptBytes)
            (size, count) = (size + Output(bytes), count + 1);
        // One more, because change may come to them.
        return count + 1 > ShortCountMax ? size + 2 : size;
    }

    /// <summary>Below so many satoshi nodes do not pass on an output with this script.</summary>
    public static long Dust(ReadOnlySpan<byte> script) =>
        DustRate * (Output(script.Length) + (IsWitness(script) ? WitnessSpend : PlainSpend));

    /// <summary>What so many virtual bytes cost at a rate in satoshi for 1,000, rounded up: a satoshi too little may not be passed on.</summary>
    public static long Fee(int size, long rate) => ((size * rate) + 999) / 1_000;

    // An opcode for the version, 0 or 1 to 16, and one push of 2 to 40 bytes.
    private static bool IsWitness(ReadOnlySpan<byte> script) =>
        script.Length is >= 4 and <= 42 && (script[0] == 0 || script[0] is >= 0x51 and <= 0x60) && script[1] == script.Length - 2;
}
