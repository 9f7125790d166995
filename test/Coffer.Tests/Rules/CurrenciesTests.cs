using System.Security.Cryptography;

namespace Coffer.Tests.Rules;

public class CurrenciesTests
{
    private const string Least = """
        { "code": "USDTERC20", "name": "Tether USD", "network": "ETH", "token": "USDT", "decimals": 6, "confirmations": 12 }
        """;

    private static byte[] Default()
    {
        using var stream = System.Reflection.Assembly.Load("Coffer.Server").GetManifestResourceStream("currencies.json")!;
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static IReadOnlyList<string> ProblemsOf(string json) =>
        Assert.Throws<CurrenciesFault>(() => CurrenciesFile.Parse(json)).Problems;

    private static IReadOnlyList<string> ProblemsWith(string member, string value) =>
        ProblemsOf($"[{Least.TrimEnd().TrimEnd('}')}, \"{member}\": {value} }}]");

    private static string Replaced(string member, string value) => $"[{System.Text.RegularExpressions.Regex.Replace(
        Least, $"\"{member}\": (\"[^\"]*\"|[0-9]+)", $"\"{member}\": {value.Replace("$", "$$", StringComparison.Ordinal)}")}]";

    [Fact]
    public void The_built_in_file_names_the_codes_of_the_contract()
    {
        var currencies = CurrenciesFile.Parse(Default());
        foreach (var code in new[] { "USDTERC20", "USDTTRC20", "USDCERC20", "DAIERC20", "BTC", "ETH", "TRX" })
            Assert.True(currencies.TryFind(code, out _), code);
        Assert.True(currencies.TryFind("USDTERC20", out var usdt));
        Assert.Equal(("Tether USD", "ETH", 6), (usdt.Name, usdt.Network, usdt.Decimals));
        Assert.True(currencies.TryFind("USDCERC20", out var usdc));
        Assert.Equal(("USD Coin", "ETH", 6), (usdc.Name, usdc.Network, usdc.Decimals));
        Assert.True(currencies.TryFind("ETH", out var eth));
        Assert.Equal(("Ethereum", "ETH", 18, null), (eth.Name, eth.Network, eth.Decimals, eth.Contract));
        Assert.All(currencies.All, c => Assert.Equal((0, null, null), (c.DepositFee, c.PriceAgeMax, c.Price)));
    }

    /// <summary>The stablecoins of BSC keep 18 decimals where all others keep 6: who pays 6 pays a millionth of a millionth.</summary>
    [Theory]
    [InlineData("USDTBSC", 18)]
    [InlineData("USDCBSC", 18)]
    [InlineData("USDTERC20", 6)]
    [InlineData("USDTTRC20", 6)]
    [InlineData("USDTPOLYGON", 6)]
    [InlineData("USDTARB", 6)]
    [InlineData("USDCBASE", 6)]
    [InlineData("DAIERC20", 18)]
    [InlineData("BTC", 8)]
    [InlineData("TRX", 6)]
    public void The_built_in_decimals_are_those_of_the_contracts(string code, int decimals)
    {
        Assert.True(CurrenciesFile.Parse(Default()).TryFind(code, out var currency));
        Assert.Equal(decimals, currency.Decimals);
    }

    [Fact]
    public void Every_built_in_contract_address_is_well_formed()
    {
        foreach (var currency in CurrenciesFile.Parse(Default()).All.Where(c => c.Contract is not null))
        {
            if (currency.Network == "TRX")
                Assert.True(IsBase58Check(currency.Contract!), currency.Code);
            else
                Assert.Matches("^0x[0-9a-fA-F]{40}$", currency.Contract);
        }
    }

    [Fact]
    public void A_code_is_found_in_any_case_and_only_whole()
    {
        var currencies = CurrenciesFile.Parse($"[{Least}]");
        foreach (var code in new[] { "USDTERC20", "usdterc20", "UsdtErc20" })
        {
            Assert.True(currencies.TryFind(code, out var found));
            Assert.Equal("USDTERC20", found.Code);
        }
        foreach (var code in new[] { "", " ", "USDT", "USDTERC20 ", "USDTERC200", "U\u017FDTERC20", "USDTERC20\0" })
            Assert.False(currencies.TryFind(code, out _), code);
        Assert.False(currencies.TryFind(null, out _));
    }

    /// <summary>Unicode has letters that fold onto ASCII ones (the long s, the Kelvin sign); no such spelling is a code.</summary>
    [Fact]
    public void No_letter_outside_ASCII_stands_for_one_of_a_code()
    {
        var letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        var currencies = new Currencies(letters.Select(c => Built($"X{c}")));
        for (var c = '\u0080'; c < char.MaxValue; c++)
            Assert.False(currencies.TryFind($"X{c}", out _), $"U+{(int)c:X4}");
        Assert.All(letters, c => Assert.True(currencies.TryFind($"x{char.ToLowerInvariant(c)}", out _)));

        static Currency Built(string code) =>
            new() { Code = code, Name = code, Network = code, Token = code, Decimals = 0, Confirmations = 1 };
    }

    [Fact]
    public void Currencies_are_listed_in_ordinal_order_whatever_the_file_says()
    {
        var codes = CurrenciesFile.Parse(Default()).All.Select(c => c.Code).ToList();
        Assert.Equal(codes.Order(StringComparer.Ordinal), codes);
        var other = Least.Replace("USDTERC20", "AB", StringComparison.Ordinal).Replace("\"ETH\"", "\"XX\"", StringComparison.Ordinal);
        Assert.Equal(["AB", "USDTERC20"], CurrenciesFile.Parse($"[{Least}, {other}]").All.Select(c => c.Code));
    }

    [Fact]
    public void A_currency_may_wait_for_what_the_chain_calls_final()
    {
        var currency = CurrenciesFile.Parse(Replaced("confirmations", "\"finalized\"")).All[0];
        Assert.Equal((true, Currency.ConfirmationsWithoutFinality), (currency.Finalized, currency.Confirmations));
        Assert.False(CurrenciesFile.Parse($"[{Least}]").All[0].Finalized);
    }

    [Fact]
    public void Every_member_is_read()
    {
        var file = """
            [{ "code": "USDTBSC", "name": "Tether USD", "network": "BSC", "token": "USDT", "decimals": 18, "contract": "0xAB",
              "confirmations": 15, "deposit_minimum": "1.5", "deposit_fee": "0.000000000000000001", "withdrawal_minimum": "10",
              "withdrawal_fee": "1", "network_fee": "3.50", "price_age_max_minutes": 15, "price": "0.9999" }]
            """;
        Assert.True(CurrenciesFile.Parse(file).TryFind("usdtbsc", out var c));
        Assert.Equal(new Currency
        {
            Code = "USDTBSC",
            Name = "Tether USD",
            Network = "BSC",
            Token = "USDT",
            Decimals = 18,
            Contract = "0xAB",
            Confirmations = 15,
            DepositMinimum = Amount.One(18) * 3 / 2,
            DepositFee = 1,
            WithdrawalMinimum = Amount.One(19),
            WithdrawalFee = Amount.One(18),
            NetworkFee = Amount.One(17) * 35,
            PriceAgeMax = TimeSpan.FromMinutes(15),
            Price = new UsdPrice(Amount.One(14) * 9999),
        }, c);
    }

    [Fact]
    public void What_is_left_out_is_zero_or_none()
    {
        Assert.True(CurrenciesFile.Parse($"[{Least}]").TryFind("USDTERC20", out var c));
        Assert.Equal(
            (null, 0, 0, 0, 0, 0, null, null),
            (c.Contract, c.DepositMinimum, c.DepositFee, c.WithdrawalMinimum, c.WithdrawalFee, c.NetworkFee, c.PriceAgeMax, c.Price));
    }

    [Theory]
    [InlineData("code", "\"usdt\"")]
    [InlineData("code", "\"A\"")]
    [InlineData("code", "\"ABCDEFGHIJKLMNOPQRSTU\"")]
    [InlineData("code", "\"US DT\"")]
    [InlineData("code", "5")]
    [InlineData("code", "null")]
    [InlineData("code", "\"\\ud800\"")]
    [InlineData("name", "\"\"")]
    [InlineData("name", "\" x\"")]
    [InlineData("name", "\"a\\nb\"")]
    [InlineData("network", "\"eth\"")]
    [InlineData("network", "[]")]
    [InlineData("token", "\"\"")]
    [InlineData("decimals", "31")]
    [InlineData("decimals", "-1")]
    [InlineData("decimals", "6.0")]
    [InlineData("decimals", "1e1")]
    [InlineData("decimals", "\"6\"")]
    [InlineData("decimals", "99999999999")]
    [InlineData("confirmations", "0")]
    [InlineData("confirmations", "100001")]
    [InlineData("confirmations", "true")]
    [InlineData("confirmations", "\"final\"")]
    public void A_required_member_out_of_range_is_named(string member, string value)
    {
        var problem = Assert.Single(ProblemsOf(Replaced(member, value)));
        Assert.Contains($": {member} ", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("contract", "\"\"")]
    [InlineData("contract", "\"0x 1\"")]
    [InlineData("contract", "7")]
    [InlineData("deposit_minimum", "1")]
    [InlineData("deposit_minimum", "\"-1\"")]
    [InlineData("deposit_fee", "\"0.0000001\"")]
    [InlineData("withdrawal_minimum", "\"1e3\"")]
    [InlineData("withdrawal_fee", "\"\"")]
    [InlineData("network_fee", "\"100000000000000000000000000000000\"")]
    [InlineData("price_age_max_minutes", "0")]
    [InlineData("price_age_max_minutes", "1.5")]
    [InlineData("price_age_max_minutes", "\"15\"")]
    [InlineData("price", "1")]
    [InlineData("price", "\"-1\"")]
    [InlineData("price", "\"1.0000000000000000001\"")]
    [InlineData("Code", "\"X\"")]
    [InlineData("fee", "\"1\"")]
    [InlineData("code", "\"USDTERC20\"")]
    [InlineData("decimals", "6")]
    public void An_optional_unknown_or_repeated_member_that_is_wrong_is_named(string member, string value)
    {
        var problem = Assert.Single(ProblemsWith(member, value));
        Assert.StartsWith($"USDTERC20: {member} ", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("[1]")]
    [InlineData("[{},]")]
    [InlineData("[] []")]
    [InlineData("[/* */]")]
    [InlineData("[{}")]
    public void A_file_that_is_no_list_of_currencies_is_refused_in_one_sentence(string json)
    {
        var fault = Assert.Throws<CurrenciesFault>(() => CurrenciesFile.Parse(json));
        Assert.StartsWith("The currency file cannot be used; correct it and start again: ", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
    }

    [Fact]
    public void All_problems_are_told_at_once_with_code_and_member()
    {
        var problems = ProblemsOf("""
            [{ "code": "BTC", "name": "Bitcoin", "network": "BTC", "token": "BTC", "decimals": 8, "confirmations": 0,
               "network_fee": "0.000000001" },
             { "name": "", "network": "ETH", "token": "ETH", "decimals": 18, "confirmations": 12, "\ud800": 1 },
             7]
            """);
        Assert.Equal(
            [
                "BTC: confirmations must be a whole number from 1 to 100000 or \"finalized\"",
                "BTC: network_fee \"0.000000001\" is not an amount: write at most 8 digits after the point; this currency has no more",
                "entry 2: a name that is not valid Unicode is not a member that the file can have",
                "entry 2: code is missing",
                "entry 2: name must be 1 to 60 characters without spaces around them",
                "entry 3 must be an object",
            ],
            problems);
    }

    [Fact]
    public void One_code_twice_and_one_asset_twice_are_refused()
    {
        Assert.Equal(["USDTERC20 is listed 2 times"], ProblemsOf($"[{Least}, {Least}]"));
        var other = Least.Replace("USDTERC20", "ETH", StringComparison.Ordinal);
        Assert.Equal(["USDTERC20 and ETH are both ETH's own coin (network ETH, member contract)"], ProblemsOf($"[{Least}, {other}]"));
        var (a, b) = (With(Least, "0xAB"), With(other, "0xab"));
        Assert.Equal(["USDTERC20 and ETH are both the contract 0xAB (network ETH, member contract)"], ProblemsOf($"[{a}, {b}]"));
        CurrenciesFile.Parse($"[{With(Least, "TAB")}, {With(other, "Tab")}]");

        static string With(string entry, string contract) => $"{entry.TrimEnd().TrimEnd('}')}, \"contract\": \"{contract}\" }}";
    }

    [Fact]
    public void A_byte_order_mark_is_no_reason_to_refuse() =>
        Assert.Single(CurrenciesFile.Parse([0xEF, 0xBB, 0xBF, .. System.Text.Encoding.UTF8.GetBytes($"[{Least}]")]).All);

    private static bool IsBase58Check(string text)
    {
        const string alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
        var number = text.Aggregate(System.Numerics.BigInteger.Zero, (n, c) => n * 58 + alphabet.IndexOf(c, StringComparison.Ordinal));
        var bytes = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        return bytes.Length == 25 && SHA256.HashData(SHA256.HashData(bytes.AsSpan(0, 21))).AsSpan(0, 4).SequenceEqual(bytes.AsSpan(21));
    }
}
