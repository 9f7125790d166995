using System.Numerics;
using System.Text.Json;
using Coffer.Server.Host;

namespace Coffer.Server.Chain;

/// <summary>How an amount that a chain reports looks on the wire.</summary>
internal static class TransferJson
{
    /// <summary>In whole units where the currency is known and the ledger can hold the amount; else in smallest units.</summary>
    public static void WriteTransferred(this Utf8JsonWriter json, BigInteger amount, Currency? currency)
    {
        if (currency is not null && amount <= (BigInteger)Amount.Max)
            json.WriteShort("amount"u8, (Int128)amount, currency.Decimals);
        else
            json.WriteString("amount_smallest_units"u8, amount.ToString());
    }
}
