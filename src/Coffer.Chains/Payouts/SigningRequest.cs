using System.Globalization;
using System.Text.Json;

namespace Coffer.Chains.Payouts;

/// <summary>
/// What the server asks its signer: to sign these bytes, which make exactly these payments. The body of <c>POST /sign</c>, JSON in
/// snake_case with amounts in smallest units as decimal integers in quotes.
/// </summary>
/// <param name="Payout">The server's id of the payout; for the log.</param>
/// <param name="Chain">The chain's name, the same in the server's chains file and in the signer's file.</param>
/// <param name="Withdrawals">What is paid; empty for a transaction that only frees a nonce.</param>
/// <param name="FeeMax">The most that the transaction may cost, in smallest units of the chain's coin.</param>
/// <param name="Unsigned">What is to be signed, as the chain's family writes it; see <see cref="PayoutPlan"/>.</param>
public sealed record SigningRequest(
    string Payout, string Chain, IReadOnlyList<SigningPayment> Withdrawals, Int128 FeeMax, byte[] Unsigned)
{
    /// <summary>The most withdrawals in one request.</summary>
    public const int WithdrawalsMax = 1_000;

    /// <summary>The most bytes to sign: a PSBT with the transactions that made its inputs.</summary>
    public const int UnsignedBytesMax = 1_000_000;

    private const int TextMax = 200;

    /// <summary>The body.</summary>
    public byte[] ToBytes()
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("payout"u8, Payout);
            json.WriteString("chain"u8, Chain);
            json.WriteStartArray("withdrawals"u8);
            foreach (var one in Withdrawals)
                one.Write(json);
            json.WriteEndArray();
            json.WriteString("fee_max"u8, FeeMax.ToString(CultureInfo.InvariantCulture));
            json.WriteString("unsigned"u8, Convert.ToHexStringLower(Unsigned));
            json.WriteEndObject();
        }

        return body.ToArray();
    }

    /// <summary>Reads a body strictly: every member, each once, no other.</summary>
    /// <exception cref="FormatException">One sentence that says what is wrong.</exception>
    public static SigningRequest Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { AllowDuplicateProperties = false });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || root.EnumerateObject().Count() != 5
                || !root.TryGetProperty("withdrawals", out var list) || list.ValueKind != JsonValueKind.Array)
                throw new FormatException("The body must have payout, chain, withdrawals, fee_max and unsigned, and nothing else.");
            if (list.GetArrayLength() > WithdrawalsMax)
                throw new FormatException($"withdrawals must be at most {WithdrawalsMax}.");
            return new SigningRequest(Text(root, "payout"), Text(root, "chain"), [.. list.EnumerateArray().Select(SigningPayment.Read)],
                Amount(root, "fee_max"), Hex(root));
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw new FormatException("The body is not valid JSON, or has a member twice.", fault);
        }
    }

    /// <summary>A text member of at most 200 characters.</summary>
    internal static string Text(JsonElement element, string member) =>
        element.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String
            && value.GetString() is { Length: >= 1 and <= TextMax } text && !text.Any(char.IsControl)
            ? text : throw new FormatException($"{member} must be a text of 1 to {TextMax} characters.");

    /// <summary>A number of smallest units in quotes.</summary>
    internal static Int128 Amount(JsonElement element, string member) =>
        Coffer.Amount.TryParse(Text(element, member), 0, out var amount, out _)
            ? amount : throw new FormatException($"{member} must be a whole number of smallest units in quotes.");

    private static byte[] Hex(JsonElement root)
    {
        if (root.TryGetProperty("unsigned", out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { } digits
            && digits.Length is >= 2 and <= 2 * UnsignedBytesMax && digits.Length % 2 == 0)
        {
            var bytes = new byte[digits.Length / 2];
            if (Convert.FromHexString(digits, bytes, out _, out _) == System.Buffers.OperationStatus.Done)
                return bytes;
        }

        throw new FormatException($"unsigned must be 1 to {UnsignedBytesMax} bytes in hex digits.");
    }
}

/// <summary>One withdrawal that is paid.</summary>
/// <param name="Id">The withdrawal's id: it is paid once, whatever is asked later.</param>
/// <param name="Output">What the transaction has to do for it.</param>
public sealed record SigningPayment(string Id, PayoutOutput Output)
{
    /// <summary>Writes it as one object.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, Id);
        json.WriteString("address"u8, Output.Address);
        json.WriteString("asset"u8, Output.Asset);
        json.WriteString("amount"u8, Output.Amount.ToString(CultureInfo.InvariantCulture));
        json.WriteEndObject();
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="FormatException">One sentence that says what is wrong.</exception>
    public static SigningPayment Read(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object || element.EnumerateObject().Count() != 4
            || !element.TryGetProperty("asset", out var asset))
            throw new FormatException("A withdrawal must have id, address, asset and amount, and nothing else.");
        return new SigningPayment(SigningRequest.Text(element, "id"), new PayoutOutput(SigningRequest.Text(element, "address"),
            asset.ValueKind == JsonValueKind.Null ? null : SigningRequest.Text(element, "asset"), SigningRequest.Amount(element, "amount")));
    }
}
