using System.Text;
using System.Text.Json;
using Coffer.Chains;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Evm;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Chains.Tron;

namespace Coffer.Server.Payouts;

/// <summary>
/// A hot wallet whose key no machine here has: what it has to sign is carried to it and back by hand, as text. Asks no node.
/// </summary>
/// <param name="Format">What the unsigned bytes are: <c>psbt</c>, <c>rlp</c> or <c>raw_data</c>.</param>
/// <param name="Text">The unsigned bytes as wallets read them.</param>
/// <param name="Read">What they do; see <see cref="IPayouts.Read"/>.</param>
/// <param name="Accept">Holds signed bytes against them; see <see cref="IPayouts.Accept"/>.</param>
internal sealed record ColdWallet(string Format, Func<byte[], string> Text, Func<byte[], PayoutReading> Read, Func<byte[], byte[], SignedPayout> Accept)
{
    /// <summary>The most bytes of a file with a signed transaction.</summary>
    public const int FileBytesMax = 8_000_000;

    private static readonly Encoding _utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The wallet of a chain whose entry names one.</summary>
    public static ColdWallet Of(ChainEntry entry)
    {
        var hot = entry.Hot!;
        switch (entry.Kind)
        {
            case ChainKind.Evm:
                return new ColdWallet("rlp", unsigned => "0x" + Convert.ToHexStringLower(unsigned),
                    unsigned => EvmTransfer.Read(unsigned, hot.Address!),
                    (unsigned, signed) => EvmTransfer.Accept(unsigned, signed, hot.Address!));
            case ChainKind.Tron:
                return new ColdWallet("raw_data", Convert.ToHexStringLower, unsigned => TronTransfer.Read(unsigned),
                    (unsigned, signed) => TronTransfer.Accept(unsigned, signed, hot.Address!));
            case ChainKind.Bitcoin:
                var network = BitcoinNetwork.Of(entry.BitcoinNetwork)!;
                var addresses = new HotAddresses(hot.Xpub!, network);
                return new ColdWallet("psbt", Convert.ToBase64String, unsigned => BitcoinTransfer.Read(unsigned, addresses, network),
                    (unsigned, signed) => BitcoinTransfer.Accept(unsigned, signed, addresses));
            default:
                throw new ArgumentOutOfRangeException(nameof(entry));
        }
    }

    /// <summary>
    /// The bytes of a signed transaction as wallets write it into a file: bytes as they are, hex with or without <c>0x</c>, Base64, or the
    /// JSON of tronweb. A <see cref="KeyFault"/> for anything else.
    /// </summary>
    public static byte[] Bytes(byte[] file)
    {
        if (Words(file) is not { } text)
            return file;
        if (text.StartsWith('{'))
            return OfJson(text);
        var hex = text.StartsWith("0x", StringComparison.Ordinal) ? text[2..] : text;
        var bytes = new byte[text.Length];
        if (Convert.FromHexString(hex, bytes, out _, out var written) == System.Buffers.OperationStatus.Done
            || Convert.TryFromBase64String(text, bytes, out written))
            return bytes[..written];
        throw new KeyFault("The file is neither hex nor Base64 nor the JSON of a signed transaction.");
    }

    // Null for bytes that are no line of text.
    private static string? Words(byte[] file)
    {
        try
        {
            var text = _utf8.GetString(file).Trim();
            return text.Length > 0 && !text.Any(letter => char.IsControl(letter) && !char.IsWhiteSpace(letter)) ? text : null;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static byte[] OfJson(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return TronTransfer.Join(Hex(json.RootElement.GetProperty("raw_data_hex")),
                Hex(json.RootElement.GetProperty("signature").EnumerateArray().Single()));
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new KeyFault("The file is JSON, but not a signed transaction with raw_data_hex and one signature as tronweb writes it.", fault);
        }
    }

    private static byte[] Hex(JsonElement text) => Convert.FromHexString(text.GetString() is ['0', 'x', .. var digits] ? digits : text.GetString()!);
}
