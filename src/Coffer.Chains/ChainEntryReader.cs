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

    private readonly EntryMembers members;
    private readonly List<string> problems;
    private readonly string label;

    private ChainEntryReader(JsonElement element, string label, List<string> problems) =>
        (members, this.label, this.problems) = (new EntryMembers(element, label, problems), label, problems);

    /// <summary>The chain, or null after adding at least one problem.</summary>
    public static ChainEntry? Read(JsonElement element, int number, List<string> problems)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            problems.Add($"entry {number} must be an object");
            return null;
        }

        var before = problems.Count;
        var label = element.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String && EntryMembers.TextOf(id) is { } name
            && IsId(name) ? name : $"entry {number}";
        var reader = new ChainEntryReader(element, label, problems);
        var chain = reader.Read();
        reader.members.Unknown("is not a member that this kind of chain can have");
        return problems.Count == before ? chain : null;
    }

    private ChainEntry Read()
    {
        ChainKind? kind = members.Choice("kind", _kinds, null, out var known) ? known : null;
        var traces = TraceKind.None;
        if (kind is ChainKind.Evm)
            members.Choice("traces", _traces, "none", out traces);
        var bitcoinNetwork = "main";
        if (kind is ChainKind.Bitcoin)
            members.Choice("bitcoin_network", _bitcoinNetworks, "main", out bitcoinNetwork);
        return new ChainEntry
        {
            Id = members.Text("id", IsId, $"must be 1 to {IdMax} of a-z, 0-9 and -, and begin with a letter"),
            Kind = known,
            Network = members.Text("network", IsNetwork, $"must be 2 to {NetworkMax} of A-Z and 0-9, as in the currency file"),
            Nodes = Nodes(),
            Xpub = members.Has("xpub") ? members.Text("xpub", IsKey, "must be an extended public key") : null,
            ChainId = kind is ChainKind.Evm || (kind is ChainKind.Tron && members.Has("chain_id"))
                ? members.Number("chain_id", 1, long.MaxValue) : null,
            Start = members.Has("start") ? members.Number("start", 0, long.MaxValue) : null,
            Traces = traces,
            BitcoinNetwork = bitcoinNetwork ?? "main",
            ApiKey = kind is ChainKind.Tron && members.Has("api_key")
                ? members.Text("api_key", IsKey, $"must be 1 to {KeyMax} printable characters") : null,
            Poll = TimeSpan.FromSeconds(members.Has("poll_seconds") ? members.Number("poll_seconds", 1, PollSecondsMax)
                : kind is ChainKind.Bitcoin ? PollSecondsBitcoin : PollSecondsUsual),
            Hot = members.Has("hot") ? HotEntryReader.Read(members["hot"], kind, $"{label}: hot", problems) : null,
        };
    }

    private static bool IsId(string text) => text.Length is >= 1 and <= IdMax && char.IsAsciiLetterLower(text[0])
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    private static bool IsNetwork(string text) => text.Length is >= 2 and <= NetworkMax
        && text.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c));

    private static bool IsKey(string text) => text.Length is >= 1 and <= KeyMax && text.All(c => c is > ' ' and <= '~');

    private Uri[] Nodes()
    {
        const string what = "must be an array of 1 to 10 URLs such as http://user:password@127.0.0.1:8545";
        if (!members.Has("nodes") || members["nodes"].ValueKind != JsonValueKind.Array || members["nodes"].GetArrayLength() is 0 or > NodesMax)
        {
            members.Problem("nodes", what);
            return [];
        }

        var nodes = new List<Uri>();
        var place = 0;
        foreach (var element in members["nodes"].EnumerateArray())
        {
            place++;
            if (element.ValueKind == JsonValueKind.String && EntryMembers.TextOf(element) is { Length: <= NodeMax } text
                && Uri.TryCreate(text, UriKind.Absolute, out var node) && node.Scheme is "http" or "https" && node.Fragment.Length == 0)
                nodes.Add(node);
            else
                members.Problem("nodes", $"has no URL at place {place}; it {what}");
        }

        return [.. nodes];
    }
}
