using System.Globalization;

namespace Coffer.Server.Events;

/// <summary>The name of an event: <c>evt_</c>, its account as 32 hexadecimal digits, an underscore, its number in the account.</summary>
internal static class EventId
{
    private const string Prefix = "evt_";

    public static string Of(AccountId account, long number) => $"{Prefix}{account.Value:N}_{number}";

    /// <summary>The number of an event of this account; null when it is no name of one.</summary>
    public static long? Read(string text, AccountId account) =>
        text.StartsWith($"{Prefix}{account.Value:N}_", StringComparison.Ordinal)
            && long.TryParse(text.AsSpan(Prefix.Length + 33), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number > 0 && Of(account, number) == text
            ? number
            : null;
}
