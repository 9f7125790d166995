using System.Text.Json;

namespace Coffer.Chains;

/// <summary>The members of one object of an operator's file: each is read once, and every problem with it goes to the list. No value is quoted.</summary>
/// <param name="element">The object.</param>
/// <param name="label">What it is called in a problem.</param>
/// <param name="problems">Gets the problems.</param>
public sealed class EntryMembers(JsonElement element, string label, List<string> problems)
{
    private readonly Dictionary<string, JsonElement> members = element.EnumerateObject().ToDictionary(m => m.Name, m => m.Value);
    private readonly HashSet<string> read = [];

    /// <summary>The value of a member that is there.</summary>
    public JsonElement this[string member] => members[member];

    /// <summary>Names every member that nobody has read.</summary>
    public void Unknown(string what)
    {
        foreach (var unknown in members.Keys.Except(read))
            Problem(unknown, what);
    }

    /// <summary>Whether the member is there, and not null.</summary>
    public bool Has(string member)
    {
        read.Add(member);
        return members.TryGetValue(member, out var value) && value.ValueKind != JsonValueKind.Null;
    }

    /// <summary>A text that <paramref name="fits"/>; empty after a problem.</summary>
    public string Text(string member, Func<string, bool> fits, string what)
    {
        if (!Has(member))
            Problem(member, "is missing");
        else if (members[member].ValueKind == JsonValueKind.String && TextOf(members[member]) is { } text && fits(text))
            return text;
        else
            Problem(member, what);
        return "";
    }

    /// <summary>A whole number between two bounds; the lower one after a problem.</summary>
    public long Number(string member, long min, long max)
    {
        if (!Has(member))
            Problem(member, "is missing");
        else if (members[member].ValueKind == JsonValueKind.Number && members[member].TryGetInt64(out var number)
            && number >= min && number <= max)
            return number;
        else
            Problem(member, max == long.MaxValue ? $"must be a whole number, at least {min}" : $"must be a whole number from {min} to {max}");
        return min;
    }

    /// <summary>What one of a few words stands for; false after a problem.</summary>
    public bool Choice<T>(string member, Dictionary<string, T> words, string? missing, out T? value)
    {
        value = default;
        var word = !Has(member) ? missing : members[member].ValueKind == JsonValueKind.String ? TextOf(members[member]) : null;
        if (word is not null && words.TryGetValue(word, out value))
            return true;
        Problem(member, $"must be one of {string.Join(", ", words.Keys)}");
        return false;
    }

    /// <summary>Notes what is wrong with a member.</summary>
    public void Problem(string member, string what) => problems.Add($"{label}: {member} {what}");

    /// <summary>The text of a string; null where it is none.</summary>
    public static string? TextOf(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, escaped: valid JSON that is no text.
            return null;
        }
    }
}
