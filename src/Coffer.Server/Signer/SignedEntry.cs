using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Coffer.Chains.Payouts;

namespace Coffer.Server.Signer;

/// <summary>An input of a signed transaction (Bitcoin), with what it was said to be worth.</summary>
internal sealed record SpentCoin(string TxId, int Ordinal, Int128 Amount);

/// <summary>What was signed, as the log keeps it: enough to know after a restart what must never be signed beside it.</summary>
/// <param name="Request">The fingerprint of the request; the same one gets the same bytes.</param>
/// <param name="Payout">The server's id of the payout.</param>
/// <param name="Chain">The chain's name.</param>
/// <param name="From">The address, or the account's key, that pays.</param>
/// <param name="Withdrawals">What is paid.</param>
/// <param name="Fee">The most that it can cost.</param>
/// <param name="Nonce">EVM: its claim.</param>
/// <param name="Coins">Bitcoin: its claim.</param>
/// <param name="ExpiresAt">Tron: when its claim ends.</param>
/// <param name="Plan">SHA-256 of the unsigned bytes.</param>
/// <param name="TxId">The transaction's id.</param>
/// <param name="Signed">Its bytes.</param>
internal sealed record SignedEntry(string Request, string Payout, string Chain, string From, IReadOnlyList<SigningPayment> Withdrawals,
    Int128 Fee, long? Nonce, IReadOnlyList<SpentCoin> Coins, DateTimeOffset? ExpiresAt, string Plan, string TxId, byte[] Signed)
{
    public const string Event = "signed";

    /// <summary>Of all that a request says, but not for which payout: that is the server's own business.</summary>
    public static string Fingerprint(SigningRequest request) =>
        Convert.ToHexStringLower(SHA256.HashData((request with { Payout = "-" }).ToBytes()));

    public static SignedEntry Of(SigningRequest request, string from, PayoutReading reading, SignedPayout signed) => new(
        Fingerprint(request), request.Payout, request.Chain, from, request.Withdrawals, reading.FeeMax, reading.Claim.Nonce,
        [.. reading.Claim.Coins.Select(coin => new SpentCoin(coin.TxId, coin.Ordinal, coin.Amount))], reading.Claim.ExpiresAt,
        Convert.ToHexStringLower(SHA256.HashData(request.Unsigned)), signed.TxId, signed.Bytes);

    public void Write(Utf8JsonWriter json)
    {
        json.WriteString("request"u8, Request);
        json.WriteString("payout"u8, Payout);
        json.WriteString("chain"u8, Chain);
        json.WriteString("from"u8, From);
        json.WriteStartArray("withdrawals"u8);
        foreach (var one in Withdrawals)
            one.Write(json);
        json.WriteEndArray();
        json.WriteString("fee"u8, Fee.ToString(CultureInfo.InvariantCulture));
        if (Nonce is { } nonce)
            json.WriteNumber("nonce"u8, nonce);
        json.WriteStartArray("coins"u8);
        foreach (var (txId, ordinal, amount) in Coins)
        {
            json.WriteStartObject();
            json.WriteString("tx_id"u8, txId);
            json.WriteNumber("ordinal"u8, ordinal);
            json.WriteString("amount"u8, amount.ToString(CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (ExpiresAt is { } expiresAt)
            json.WriteString("expires_at"u8, expiresAt);
        json.WriteString("plan"u8, Plan);
        json.WriteString("tx_id"u8, TxId);
        json.WriteString("signed"u8, Convert.ToHexStringLower(Signed));
    }

    public static SignedEntry Read(JsonElement line) => new(
        Text(line, "request"), Text(line, "payout"), Text(line, "chain"), Text(line, "from"),
        [.. line.GetProperty("withdrawals").EnumerateArray().Select(SigningPayment.Read)],
        Number(line, "fee"), line.TryGetProperty("nonce", out var nonce) ? nonce.GetInt64() : null,
        [.. line.GetProperty("coins").EnumerateArray().Select(coin => new SpentCoin(Text(coin, "tx_id"), coin.GetProperty("ordinal").GetInt32(),
            Number(coin, "amount")))],
        line.TryGetProperty("expires_at", out var expiresAt) ? expiresAt.GetDateTimeOffset() : null,
        Text(line, "plan"), Text(line, "tx_id"), Convert.FromHexString(Text(line, "signed")));

    private static string Text(JsonElement element, string member) => element.GetProperty(member).GetString()!;

    private static Int128 Number(JsonElement element, string member) =>
        Int128.Parse(Text(element, member), NumberStyles.None, CultureInfo.InvariantCulture);
}
