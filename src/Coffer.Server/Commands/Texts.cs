using System.CommandLine;
using System.Globalization;
using Coffer.Server.Host;

namespace Coffer.Server.Commands;

/// <summary>Reads what stands on the command line into values; what cannot be meant is a <see cref="Misuse"/>.</summary>
internal static class Texts
{
    public static Option<string> Option(string name, string hint, string about, bool required = false) =>
        new(name) { HelpName = hint, Description = about, Required = required };

    public static Option<string[]> Many(string name, string hint, string about) =>
        new(name) { HelpName = hint, Description = about, AllowMultipleArgumentsPerToken = false };

    /// <summary>The option, else the environment variable, else null; an empty variable is none.</summary>
    public static string? Given(ParseResult parsed, Option<string>? option, string variable)
    {
        if (option is not null && parsed.GetValue(option) is { } text)
            return text;
        return Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
    }

    /// <summary>The options of all settings, to be added to a command that serves, and how to read them.</summary>
    public static Func<ParseResult, Settings> AddSettings(Command command)
    {
        var options = SettingsReader.All.ToDictionary(name => name, name => Option(name.Option, name.Hint, name.About));
        foreach (var option in options.Values)
            command.Options.Add(option);
        return parsed =>
        {
            try
            {
                return SettingsReader.Read(name => Given(parsed, options[name], name.Variable));
            }
            catch (SetupFailure fault)
            {
                throw new Misuse(fault.Message);
            }
        };
    }

    public static Guid Uuid(string text, string what) => Guid.TryParseExact(text, "D", out var id)
        ? id
        : throw new Misuse($"{what} must be a UUID such as 550e8400-e29b-41d4-a716-446655440000, not \"{text}\".");

    public static Currency Currency(Currencies currencies, string code) => currencies.TryFind(code, out var currency)
        ? currency
        : throw new Misuse($"The currency file does not list {code}; it lists {string.Join(", ", currencies.All.Select(c => c.Code))}.");

    /// <summary>RFC 3339 in UTC or with an offset; null stays null.</summary>
    public static DateTimeOffset? Time(string? text, string what)
    {
        if (text is null)
            return null;
        // A time without an offset would mean another moment on another machine.
        var hasZone = text.EndsWith('Z') || (text.Length > 6 && text[^6] is '+' or '-' && text[^3] == ':');
        return hasZone && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? time.ToUniversalTime()
            : throw new Misuse($"{what} must be a time such as 2026-01-31T12:00:00Z, not \"{text}\".");
    }

    /// <summary>An amount with a sign, not zero.</summary>
    public static Int128 SignedAmount(string text, Currency currency)
    {
        var digits = text is ['+' or '-', .. var rest] ? rest : text;
        if (!Amount.TryParsePositive(digits, currency.Decimals, out var amount, out var fault))
            throw new Misuse(
                $"--amount \"{text}\" is no amount of {currency.Code} such as 12.50 or -12.50: {fault.Sentence(currency.Decimals)}");
        return text[0] == '-' ? -amount : amount;
    }
}

internal static class OptionWords
{
    /// <summary>Only these words are taken.</summary>
    public static Option<string> AcceptOnly(this Option<string> option, params string[] words)
    {
        option.AcceptOnlyFromAmong(words);
        return option;
    }
}
