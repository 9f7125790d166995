using System.Text.Json;

namespace Coffer.Chains;

/// <summary>One object of the chains file: each member is read once, and every problem with it goes to the list. No value is quoted.</summary>
internal sealed class ChainEntryReader
{
    private const int IdMax = 40;
    private const int NetworkMax = 12;
    private const int NodesMax = 10;
    private const int NodeMax = 1_000;
    private const int KeyMax = 200;
    private const int PollSecondsMax = 3_600;
    private const int PollSecondsUsual = 3;
    private const int PollSecondsBitcoin = 10;

    private static readonly Dictionary<string, ChainKind> _kinds =
        new() { ["evm"] = ChainKind.Evm, ["bitcoin"] = ChainKind.Bitcoin, ["tron"] = ChainKind.Tron };

    private static readonly Dictionary<string, TraceKind> _traces =
        new() { ["none"] = TraceKind.None, ["debug"] = TraceKind.Debug, ["trace"] = TraceKind.Trace };

    private static readonly Dictionary<string, string> _bitcoinNetworks =
        new() { ["main"] = "main", ["test"] = "test", ["regtest"] = "regtest" };

    private readonly Dictionary<string, JsonElement> members;
    private readonly HashSet<string> read = [];
    private readonly List<string> problems;
    private readonly string label;

    private ChainEntryReader(JsonElement element, string label, List<string> problems) =>
        (members, this.label, this.problems) = (element.EnumerateObject().ToDictionary(m => m.Name, m => m.Value), label, problems);

    /// <summary>The chain, or null after adding at least one problem.</summary>
    public static ChainEntry? Read(JsonElement element, int number, List<string> problems)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            problems.Add($"entry {number} must be an object");
            return null;
        }

        var before = problems.Count;
        var label = element.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String && TextOf(id) is { } name
            && IsId(name) ? name : $"entry {number}";
        var reader = new ChainEntryReader(element, label, problems);
        var chain = reader.Read();
        foreach (var unknown in reader.members.Keys.Except(reader.read))
            reader.Problem(unknown, "is not a member that this kind of chain can have");
        return problems.Count == before ? chain : null;
    }

    private ChainEntry Read()
    {
        ChainKind? kind = Choice("kind", _kinds, null, out var known) ? known : null;
        var traces = TraceKind.None;
        if (kind is ChainKind.Evm)
            Choice("traces", _traces, "none", out traces);
        var bitcoinNetwork = "main";
        if (kind is ChainKind.Bitcoin)
            Choice("bitcoin_network", _bitcoinNetworks, "main", out bitcoinNetwork);
        return new ChainEntry
        {
            Id = Text("id", IsId, $"must be 1 to {IdMax} of a-z, 0-9 and -, and begin with a letter"),
            Kind = known,
            Network = Text("network", IsNetwork, $"must be 2 to {NetworkMax} of A-Z and 0-9, as in the currency file"),
            Nodes = Nodes(),
            Xpub = Has("xpub") ? Text("xpub", IsKey, "must be an extended public key") : null,
            ChainId = kind is ChainKind.Evm || (kind is ChainKind.Tron && Has("chain_id")) ? Number("chain_id", 1, long.MaxValue) : null,
            Start = Has("start") ? Number("start", 0, long.MaxValue) : null,
            Traces = traces,
            BitcoinNetwork = bitcoinNetwork ?? "main",
            ApiKey = kind is ChainKind.Tron && Has("api_key") ? Text("api_key", IsKey, $"must be 1 to {KeyMax} printable characters") : null,
            Poll = TimeSpan.FromSeconds(Has("poll_seconds") ? Number("poll_seconds", 1, PollSecondsMax)
                : kind is ChainKind.Bitcoin ? PollSecondsBitcoin : PollSecondsUsual),
        };
    }

    private static bool IsId(string text) => text.Length is >= 1 and <= IdMax && char.IsAsciiLetterLower(text[0])
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    private static bool IsNetwork(string text) => text.Length is >= 2 and <= NetworkMax
        && text.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c));

    private static bool IsKey(string text) => text.Length is >= 1 and <= KeyMax && text.All(c => c is > ' ' and <= '~');

    private bool Has(string member)
    {
        read.Add(member);
        return members.TryGetValue(member, out var value) && value.ValueKind != JsonValueKind.Null;
    }

    private string Text(string member, Func<string, bool> fits, string what)
    {
        if (!Has(member))
            Problem(member, "is missing");
        else if (members[member].ValueKind == JsonValueKind.String && TextOf(members[member]) is { } text && fits(text))
            return text;
        else
            Problem(member, what);
        return "";
    }

    private long Number(string member, long min, long max)
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

    private bool Choice<T>(string member, Dictionary<string, T> words, string? missing, out T? value)
    {
        value = default;
        var word = !Has(member) ? missing : members[member].ValueKind == JsonValueKind.String ? TextOf(members[member]) : null;
        if (word is not null && words.TryGetValue(word, out value))
            return true;
        Problem(member, $"must be one of {string.Join(", ", words.Keys)}");
        return false;
    }

    private Uri[] Nodes()
    {
        const string what = "must be an array of 1 to 10 URLs such as http://user:password@127.0.0.1:8545";
        if (!Has("nodes") || members["nodes"].ValueKind != JsonValueKind.Array || members["nodes"].GetArrayLength() is 0 or > NodesMax)
        {
            Problem("nodes", what);
            return [];
        }

        var nodes = new List<Uri>();
        var place = 0;
        foreach (var element in members["nodes"].EnumerateArray())
        {
            place++;
            if (element.ValueKind == JsonValueKind.String && TextOf(element) is { Length: <= NodeMax } text
                && Uri.TryCreate(text, UriKind.Absolute, out var node) && node.Scheme is "http" or "https" && node.Fragment.Length == 0)
                nodes.Add(node);
            else
                Problem("nodes", $"has no URL at place {place}; it {what}");
        }

        return [.. nodes];
    }

    private void Problem(string member, string what) => problems.Add($"{label}: {member} {what}");

    private static string? TextOf(JsonElement value)
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
