using System.Text.Json;

namespace Coffer;

/// <summary>One object of the currency file: each member is read once, and every problem with it goes to the list that was given.</summary>
internal sealed class CurrencyEntry
{
    private const int ConfirmationsMax = 100_000;
    private const string FinalizedWord = "finalized";
    private const int PriceAgeMinutesMax = 366 * 24 * 60;
    private const int NameMax = 60;
    private const int ContractMax = 64;
    private const string EstimateWord = "estimate";

    private static readonly HashSet<string> Members =
    [
        "code", "name", "network", "token", "decimals", "contract", "confirmations", "deposit_minimum", "deposit_fee",
        "withdrawal_minimum", "withdrawal_maximum", "withdrawal_day_maximum", "approval_above", "withdrawal_fee", "withdrawal_fee_per_mille",
        "network_fee", "network_fee_max", "network_fee_fallback", "network_fee_bearer", "price_age_max_minutes", "price",
    ];

    private readonly Dictionary<string, JsonElement> members = [];
    private readonly List<string> problems;
    private readonly string label;

    private CurrencyEntry(JsonElement element, string label, List<string> problems)
    {
        this.label = label;
        this.problems = problems;
        foreach (var property in element.EnumerateObject())
        {
            var name = NameOf(property);
            if (!Members.Contains(name))
                Problem(name, "is not a member that the file can have");
            else if (!members.TryAdd(name, property.Value))
                Problem(name, "is given twice");
        }
    }

    /// <summary>The currency, or null after adding at least one problem.</summary>
    public static Currency? Read(JsonElement element, int number, List<string> problems)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            problems.Add($"entry {number} must be an object");
            return null;
        }
        var before = problems.Count;
        var entry = new CurrencyEntry(element, Label(element, number), problems);
        var currency = entry.Read();
        if (problems.Count == before)
            entry.CheckWithdrawals(currency);
        return problems.Count == before ? currency : null;
    }

    private Currency Read()
    {
        var decimals = Integer("decimals", 0, Amount.DecimalsMax) ?? -1;
        var finalized = SaysFinalized();
        return new Currency
        {
            Code = Word("code", 2, 20, upper: true),
            Name = Name(),
            Network = Word("network", 2, 12, upper: true),
            Token = Word("token", 1, 20, upper: false),
            Decimals = decimals,
            Contract = Has("contract") ? Word("contract", 1, ContractMax, upper: false) : null,
            Confirmations = finalized ? Currency.ConfirmationsWithoutFinality
                : Integer("confirmations", 1, ConfirmationsMax, $" or \"{FinalizedWord}\"") ?? 0,
            Finalized = finalized,
            DepositMinimum = Units("deposit_minimum", decimals),
            DepositFee = Units("deposit_fee", decimals),
            WithdrawalMinimum = Units("withdrawal_minimum", decimals),
            WithdrawalMaximum = MaybeUnits("withdrawal_maximum", decimals),
            WithdrawalDayMaximum = MaybeUnits("withdrawal_day_maximum", decimals),
            ApprovalAbove = MaybeUnits("approval_above", decimals),
            WithdrawalFee = Units("withdrawal_fee", decimals),
            WithdrawalFeePerMille = Has("withdrawal_fee_per_mille") ? Integer("withdrawal_fee_per_mille", 0, WithdrawalFees.PerMilleMax) ?? 0 : 0,
            NetworkFee = SaysEstimate() ? 0 : Units("network_fee", decimals),
            NetworkFeeEstimate = Estimate(decimals),
            NetworkFeeBearer = Bearer(),
            PriceAgeMax = Has("price_age_max_minutes") && Integer("price_age_max_minutes", 1, PriceAgeMinutesMax) is { } minutes
                ? TimeSpan.FromMinutes(minutes)
                : null,
            Price = Price(),
        };
    }

    /// <summary>Null is the same as absent, for the members that need not be there.</summary>
    private bool Has(string member) => members.TryGetValue(member, out var value) && value.ValueKind != JsonValueKind.Null;

    private string Word(string member, int min, int max, bool upper)
    {
        var text = Text(member);
        if (text is null)
            return "";
        Func<char, bool> letter = upper ? char.IsAsciiLetterUpper : char.IsAsciiLetter;
        if (text.Length < min || text.Length > max || !text.All(c => char.IsAsciiDigit(c) || letter(c)))
            Problem(member, $"must be {min} to {max} {(upper ? "of A-Z and 0-9" : "letters and digits")}");
        return text;
    }

    private string Name()
    {
        var text = Text("name");
        if (text is null)
            return "";
        if (text.Length is 0 or > NameMax || text.Trim() != text || text.Any(char.IsControl))
            Problem("name", $"must be 1 to {NameMax} characters without spaces around them");
        return text;
    }

    private Int128 Units(string member, int decimals)
    {
        // Without decimals nothing can be said about an amount, and the decimals have been complained about already.
        if (!Has(member) || decimals < 0 || Text(member) is not { } text)
            return 0;
        if (!Amount.TryParse(text, decimals, out var amount, out var fault))
            Problem(member, $"{Quote(text)} is not an amount: {Sentence(fault, decimals)}");
        return amount;
    }

    private Int128? MaybeUnits(string member, int decimals) => Has(member) ? Units(member, decimals) : null;

    private bool SaysEstimate() =>
        members.TryGetValue("network_fee", out var value) && value.ValueKind == JsonValueKind.String && TextOf(value) == EstimateWord;

    private EstimatedFee? Estimate(int decimals)
    {
        if (SaysEstimate())
        {
            var max = Units("network_fee_max", decimals);
            if (!Has("network_fee_max"))
                Problem("network_fee_max", $"is missing: a network_fee that is \"{EstimateWord}\" needs the most that a withdrawal is charged");
            return new EstimatedFee(max, MaybeUnits("network_fee_fallback", decimals));
        }
        foreach (var member in (ReadOnlySpan<string>)["network_fee_max", "network_fee_fallback"])
        {
            if (Has(member))
                Problem(member, $"is only for a network_fee that is \"{EstimateWord}\"");
        }
        return null;
    }

    private NetworkFeeBearer Bearer()
    {
        var word = Has("network_fee_bearer") ? Text("network_fee_bearer") : "house";
        if (word is not (null or "house" or "customer"))
            Problem("network_fee_bearer", "must be \"house\" or \"customer\"");
        return word == "customer" ? NetworkFeeBearer.Customer : NetworkFeeBearer.House;
    }

    /// <summary>What the figures for withdrawals must agree about.</summary>
    private void CheckWithdrawals(Currency currency)
    {
        var least = Int128.Max(currency.WithdrawalMinimum, 1);
        if (currency.WithdrawalMaximum < least)
            Problem("withdrawal_maximum", "is below withdrawal_minimum, so that nothing could be withdrawn");
        if (currency.WithdrawalDayMaximum < least)
            Problem("withdrawal_day_maximum", "is below withdrawal_minimum, so that nothing could be withdrawn");
        if (currency.NetworkFeeEstimate is { Max: var max } && max == 0)
            Problem("network_fee_max", "must be above zero");
        if (currency.NetworkFeeEstimate is { Fallback: { } fallback } estimate && fallback > estimate.Max)
            Problem("network_fee_fallback", "is above network_fee_max");
        if (currency.NetworkFeeBearer == NetworkFeeBearer.Customer && currency.Contract is not null)
            Problem("network_fee_bearer",
                "cannot be \"customer\" for a token: the network takes its fee in its own coin, of which the customer's token balance knows nothing");
    }

    private UsdPrice? Price()
    {
        if (!Has("price") || Text("price") is not { } text)
            return null;
        if (!UsdPrice.TryParse(text, out var price, out var fault))
            Problem("price", $"{Quote(text)} is not a price in US dollars: {Sentence(fault, UsdPrice.Decimals)}");
        return price;
    }

    private string? Text(string member)
    {
        if (!members.TryGetValue(member, out var value))
            Problem(member, "is missing");
        else if (value.ValueKind != JsonValueKind.String)
            Problem(member, "must be a string");
        else if (TextOf(value) is { } text)
            return text;
        else
            Problem(member, "is not valid Unicode");
        return null;
    }

    private bool SaysFinalized() =>
        members.TryGetValue("confirmations", out var value) && value.ValueKind == JsonValueKind.String && TextOf(value) == FinalizedWord;

    private int? Integer(string member, int min, int max, string orElse = "")
    {
        if (!members.TryGetValue(member, out var value))
            Problem(member, "is missing");
        else if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= min && number <= max)
            return number;
        else
            Problem(member, $"must be a whole number from {min} to {max}{orElse}");
        return null;
    }

    private void Problem(string member, string what) => problems.Add($"{label}: {member} {what}");

    private static string Sentence(AmountFault fault, int decimals)
    {
        var sentence = fault.Sentence(decimals).TrimEnd('.');
        return char.ToLowerInvariant(sentence[0]) + sentence[1..];
    }

    /// <summary>What the operator finds the entry by: its code if it has one, else its place.</summary>
    private static string Label(JsonElement element, int number)
    {
        JsonElement code = default;
        foreach (var property in element.EnumerateObject())
        {
            if (NameOf(property) == "code")
                code = property.Value;
        }
        var text = code.ValueKind == JsonValueKind.String ? TextOf(code) : null;
        return text is { Length: > 0 and <= 20 } ? text : $"entry {number}";
    }

    private static string Quote(string text) => text.Length <= 50 ? $"\"{text}\"" : $"\"{text[..50]}...\"";

    private static string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, escaped: valid JSON that is no text. No member is called so.
            return "a name that is not valid Unicode";
        }
    }

    private static string? TextOf(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
