using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Coffer.Chains.Simulated;

/// <summary>
/// The bytes of an outgoing simulated transaction. As on a real chain its id is a hash of them, so it can be stored before the first
/// broadcast and the same bytes can be sent again.
/// </summary>
/// <param name="Nonce">Makes two equal payments different; printable, no line feed, at most 100 characters.</param>
/// <param name="Output">What it pays.</param>
public sealed record SimulatedTransaction(string Nonce, SimulatedOutput Output)
{
    /// <summary>The longest byte form that is read.</summary>
    public const int BytesMax = 1_000;

    private const string Header = "coffer simulated transaction 1";

    /// <summary>The bytes to broadcast.</summary>
    public byte[] ToBytes() => Encoding.UTF8.GetBytes(string.Join('\n', Header, Nonce, Output.Kind.Word(), Output.Address, Output.Currency,
        Output.Amount.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The transaction id of some bytes: 64 hex digits.</summary>
    public static string Id(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>Reads what <see cref="ToBytes"/> wrote; null for anything else.</summary>
    public static SimulatedTransaction? Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BytesMax || Encoding.UTF8.GetString(bytes).Split('\n') is not [Header, var nonce, var word, var address,
            var currency, var digits])
            return null;
        foreach (var kind in Enum.GetValues<TransferKind>())
            if (kind.Word() == word && Int128.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var amount))
                return new SimulatedTransaction(nonce, new SimulatedOutput(kind, address, currency, amount));
        return null;
    }
}
