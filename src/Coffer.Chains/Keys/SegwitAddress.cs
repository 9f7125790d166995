namespace Coffer.Chains.Keys;

/// <summary>Addresses of witness programs (BIP141), written as BIP173 says for version 0 and as BIP350 says for the others.</summary>
public static class SegwitAddress
{
    private const int VersionMax = 16;
    private const int ProgramBytesMin = 2;
    private const int ProgramBytesMax = 40;

    /// <summary>The lower-case text of a witness program.</summary>
    /// <param name="prefix">The network: <c>bc</c>, <c>tb</c>, <c>bcrt</c>.</param>
    /// <param name="version">From 0 to 16.</param>
    /// <param name="program">From 2 to 40 bytes; of version 0 either 20 or 32.</param>
    public static string Encode(string prefix, int version, ReadOnlySpan<byte> program)
    {
        if (!IsValid(version, program.Length))
            throw new ArgumentOutOfRangeException(nameof(program));
        Span<byte> values = stackalloc byte[1 + (program.Length * 8 + 4) / 5];
        values[0] = (byte)version;
        int buffer = 0, bits = 0, at = 1;
        foreach (var value in program)
        {
            buffer = ((buffer & 0xf) << 8) | value;
            for (bits += 8; bits >= 5; bits -= 5)
                values[at++] = (byte)((buffer >> (bits - 5)) & 31);
        }
        if (bits > 0)
            values[at] = (byte)((buffer << (5 - bits)) & 31);
        return Bech32.Encode(prefix, values, version == 0 ? Bech32Kind.Bech32 : Bech32Kind.Bech32m);
    }

    /// <summary>The witness version and program of an address; null for another prefix or a text that is no address.</summary>
    public static (int Version, byte[] Program)? Decode(string prefix, string text)
    {
        if (Bech32.Decode(text) is not { Values.Length: > 0 } said || said.Prefix != prefix)
            return null;
        var version = said.Values[0];
        if (said.Kind != (version == 0 ? Bech32Kind.Bech32 : Bech32Kind.Bech32m))
            return null;

        var program = new byte[(said.Values.Length - 1) * 5 / 8];
        int buffer = 0, bits = 0, at = 0;
        foreach (var value in said.Values.AsSpan(1))
        {
            buffer = ((buffer & 0x7f) << 5) | value;
            bits += 5;
            if (bits >= 8)
            {
                bits -= 8;
                program[at++] = (byte)((buffer >> bits) & 0xff);
            }
        }

        // What is left over is less than one character, and zero: otherwise two texts would mean one program.
        if (bits >= 5 || (buffer & ((1 << bits) - 1)) != 0 || !IsValid(version, program.Length))
            return null;
        return (version, program);
    }

    private static bool IsValid(int version, int programBytes) =>
        version is >= 0 and <= VersionMax && programBytes is >= ProgramBytesMin and <= ProgramBytesMax
        && (version != 0 || programBytes is 20 or 32);
}
