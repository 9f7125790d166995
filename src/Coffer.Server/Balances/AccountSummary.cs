using System.Text.Json;
using Coffer.Server.Host;

namespace Coffer.Server.Balances;

/// <summary>One currency of <c>/user/balances/</c>: the wallets' lines and their sums.</summary>
internal sealed record CurrencySummary(Currency Currency, List<AccountLine> Lines)
{
    public Int128 Available => Lines.Aggregate(Int128.Zero, (sum, line) => sum + line.Available);

    public Int128 Pending => Lines.Aggregate(Int128.Zero, (sum, line) => sum + line.Incoming + line.Held);

    public Int128 Deposited => Lines.Aggregate(Int128.Zero, (sum, line) => sum + line.Deposited);

    public Int128 Withdrawn => Lines.Aggregate(Int128.Zero, (sum, line) => sum + line.Withdrawn);

    public Int128 Fees => Lines.Aggregate(Int128.Zero, (sum, line) => sum + line.Fees);

    public DateTimeOffset LastMovementAt => Lines.Max(line => line.LastMovementAt);

    /// <summary>The price, unless it is unknown or older than the currency allows.</summary>
    public (UsdPrice Price, DateTimeOffset At)? Price(DateTimeOffset now) =>
        Lines[0].Price is { } price && !(now - Lines[0].PriceAt > Currency.PriceAgeMax) ? (price, Lines[0].PriceAt) : null;
}

/// <summary>The body of <c>/user/balances/</c>. Everything in it comes from the ledger and the prices, so an idle account's answer stands still.</summary>
internal sealed class AccountSummary
{
    private readonly List<(CurrencySummary Sums, Int128? UsdCents)> _currencies = [];
    private readonly long _wallets;
    private DateTimeOffset _lastUpdate;

    private AccountSummary(long wallets, DateTimeOffset createdAt) => (_wallets, _lastUpdate) = (wallets, createdAt);

    public static AccountSummary Of(AccountView view, Currencies currencies, DateTimeOffset now)
    {
        var summary = new AccountSummary(view.Wallets, view.CreatedAt);
        for (var i = 0; i < view.Lines.Count;)
        {
            var code = view.Lines[i].Currency;
            var lines = new List<AccountLine>();
            for (; i < view.Lines.Count && view.Lines[i].Currency == code; i++)
                lines.Add(view.Lines[i]);
            summary.Add(new CurrencySummary(currencies.Find(code), lines), now);
        }

        return summary;
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("balances"u8);
        foreach (var (sums, cents) in _currencies)
            Write(json, sums, cents);
        json.WriteEndArray();
        json.WriteStartObject("summary"u8);
        json.WriteUsd("total_usd_value"u8, _currencies.Aggregate(Int128.Zero, (sum, line) => sum + (line.UsdCents ?? 0)));
        json.WriteNumber("total_currencies"u8, _currencies.Count);
        json.WriteNumber("total_wallets"u8, _wallets);
        json.WriteTime("last_update"u8, _lastUpdate);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, CurrencySummary sums, Int128? cents)
    {
        var decimals = sums.Currency.Decimals;
        json.WriteStartObject();
        json.WriteString("currency"u8, sums.Currency.Code);
        json.WriteString("currency_name"u8, sums.Currency.Name);
        json.WriteString("network"u8, sums.Currency.Network);
        json.WriteFixed("total_balance"u8, sums.Available + sums.Pending, decimals);
        json.WriteFixed("available_balance"u8, sums.Available, decimals);
        json.WriteFixed("pending_balance"u8, sums.Pending, decimals);
        json.WriteFixed("total_deposited"u8, sums.Deposited, decimals);
        json.WriteFixed("total_withdrawn"u8, sums.Withdrawn, decimals);
        json.WriteFixed("total_fees_paid"u8, sums.Fees, decimals);
        json.WriteUsd("usd_value"u8, cents);
        json.WriteTime("last_transaction"u8, sums.LastMovementAt);
        json.WriteStartArray("wallets"u8);
        foreach (var line in sums.Lines)
        {
            json.WriteStartObject();
            json.WriteString("wallet_id"u8, line.Wallet);
            json.WriteString("wallet_name"u8, line.WalletName);
            json.WriteFixed("balance"u8, line.Available, decimals);
            json.WriteFixed("pending"u8, line.Incoming + line.Held, decimals);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void Add(CurrencySummary sums, DateTimeOffset now)
    {
        var price = sums.Price(now);
        var cents = Usd.Cents(sums.Available + sums.Pending, sums.Currency.Decimals, price?.Price);
        _currencies.Add((sums, cents));
        _lastUpdate = Later(_lastUpdate, sums.LastMovementAt);
        if (price is { } used)
            _lastUpdate = Later(_lastUpdate, used.At);
    }

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
