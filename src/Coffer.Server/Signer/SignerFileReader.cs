using System.Text.Json;
using Coffer.Chains;
using Coffer.Chains.Keys;
using Coffer.Server.Host;

namespace Coffer.Server.Signer;

/// <summary>Reads the signer's file as a whole; every fault in it is named at once, so that it is corrected in one go.</summary>
internal sealed class SignerFileReader
{
    private const int ChainsMax = 50, AllowMax = 100_000, TextMax = 1_000;
    private const string UnixPrefix = "unix:";

    private static readonly Dictionary<string, ChainKind> _kinds =
        new() { ["evm"] = ChainKind.Evm, ["bitcoin"] = ChainKind.Bitcoin, ["tron"] = ChainKind.Tron };

    private readonly string folder;
    private readonly List<string> problems = [];

    private SignerFileReader(string folder) => this.folder = folder;

    /// <exception cref="SetupFailure">One sentence that names the file and everything that is wrong in it.</exception>
    public static SignerFile Read(string file)
    {
        var reader = new SignerFileReader(Path.GetDirectoryName(Path.GetFullPath(file))!);
        SignerFile? read = null;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                read = reader.Read(document.RootElement);
            else
                reader.problems.Add("it must be a JSON object");
        }
        catch (JsonException fault)
        {
            reader.problems.Add(fault.LineNumber is { } line
                ? $"it is not valid JSON at line {line + 1}, byte {fault.BytePositionInLine + 1}"
                : "it is not valid JSON, or an object has a member twice");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new SetupFailure($"The signer's file {file} cannot be read: name it with --config, or write one as README.md shows "
                + $"({fault.Message.TrimEnd('.')}).");
        }

        return reader.problems.Count == 0 ? read!
            : throw new SetupFailure($"{file}: The signer's file cannot be used; correct it and start again: {string.Join("; ", reader.problems)}.");
    }

    /// <summary>Whether a signer may listen there: the secret goes over this line, so it must not leave the machine.</summary>
    public static bool IsListen(string text) => text.StartsWith(UnixPrefix, StringComparison.Ordinal)
        ? text.Length is > 5 and <= 105
        : Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme == "http" && url.IsLoopback && url.PathAndQuery == "/";

    private SignerFile Read(JsonElement root)
    {
        var members = new EntryMembers(root, "the file", problems);
        var listen = members.Has("listen")
            ? members.Text("listen", IsListen, "must be unix: and a path, or http:// with 127.0.0.1, [::1] or localhost and a port")
            : UnixPrefix + "signer.sock";
        var file = new SignerFile
        {
            Listen = listen.StartsWith(UnixPrefix, StringComparison.Ordinal) ? UnixPrefix + Path.Combine(folder, listen[5..]) : listen,
            SecretFile = PathOf(members, "secret_file", "secret"),
            Log = PathOf(members, "log", "signer.log"),
            Keystore = PathOf(members, "keystore", "keystore.json"),
            Chains = Chains(members),
        };
        members.Unknown("is not a member that the signer's file can have");
        return file;
    }

    private string PathOf(EntryMembers members, string name, string usual) => Path.Combine(folder,
        members.Has(name) ? members.Text(name, text => text.Length is >= 1 and <= TextMax && !text.Any(char.IsControl), "must be a path") : usual);

    private List<SignerChain> Chains(EntryMembers members)
    {
        var chains = new List<SignerChain>();
        if (!members.Has("chains") || members["chains"].ValueKind != JsonValueKind.Array
            || members["chains"].GetArrayLength() is 0 or > ChainsMax)
        {
            members.Problem("chains", $"must be an array of 1 to {ChainsMax} chains");
            return chains;
        }

        foreach (var (number, element) in members["chains"].EnumerateArray().Index())
        {
            if (element.ValueKind == JsonValueKind.Object)
                chains.Add(Chain(element, number + 1));
            else
                problems.Add($"chain {number + 1} must be an object");
        }

        foreach (var same in chains.GroupBy(chain => chain.Id).Where(group => group.Count() > 1))
            problems.Add($"{same.Key} is listed {same.Count()} times");
        // Two entries for one chain would each have the limits, and each its own memory of what was paid. Bytes for Tron do not say
        // for which of its networks they are.
        foreach (var same in chains.GroupBy(chain => (chain.Kind, chain.ChainId, chain.Network)).Where(group => group.Count() > 1))
            problems.Add($"{string.Join(" and ", same.Select(chain => chain.Id))} are the same chain");
        return chains;
    }

    private SignerChain Chain(JsonElement element, int number)
    {
        var label = element.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String
            && EntryMembers.TextOf(id) is { } name && IsId(name) ? name : $"chain {number}";
        var members = new EntryMembers(element, label, problems);
        members.Choice("kind", _kinds, null, out var kind);
        var network = kind == ChainKind.Bitcoin ? members.Text("bitcoin_network", text => BitcoinNetwork.Of(text) is not null,
            "must be main, test or regtest") : "";
        var fee = members.Amount("fee_max", ChainEntry.DecimalsOf(kind));
        var chain = new SignerChain
        {
            Id = members.Text("id", IsId, "must be the chain's id in the server's chains file"),
            Kind = kind,
            ChainId = kind == ChainKind.Evm ? members.Number("chain_id", 1, long.MaxValue) : null,
            Network = BitcoinNetwork.Of(network),
            Key = members.Has("key") ? members.Text("key", StoredKey.IsName, "must be the name of a key of the keystore") : null,
            FeeMax = fee,
            FeePerDay = members.Has("fee_per_day") ? members.Amount("fee_per_day", ChainEntry.DecimalsOf(kind))
                : Int128.Min(fee, Coffer.Amount.Max / SignerChain.FeesPerDayUsual) * SignerChain.FeesPerDayUsual,
            Assets = new Dictionary<string, AssetLimit>(),
        };
        // An address cannot be read before its network is known.
        chain = chain.Kind != ChainKind.Bitcoin || chain.Network is not null
            ? chain with { Assets = Assets(members, chain, label), Allow = Allow(members, chain) } : chain;
        members.Has("assets");
        members.Has("allow");
        members.Unknown("is not a member that this kind of chain can have");
        return chain;
    }

    private Dictionary<string, AssetLimit> Assets(EntryMembers members, SignerChain chain, string label)
    {
        var limits = new Dictionary<string, AssetLimit>();
        if (!members.Has("assets") || members["assets"].ValueKind != JsonValueKind.Object || !members["assets"].EnumerateObject().Any())
        {
            members.Problem("assets", "must be an object of limits by \"coin\" or a token's contract; what it does not name is never paid");
            return limits;
        }

        foreach (var one in members["assets"].EnumerateObject())
        {
            var isCoin = one.Name == SignerChain.Coin;
            var asset = isCoin ? one.Name : chain.Kind == ChainKind.Bitcoin ? null : chain.Address(one.Name);
            if (asset is null || one.Value.ValueKind != JsonValueKind.Object)
                members.Problem("assets", $"has the member {Shown(one.Name)}; each must be \"coin\" or a token's contract, with an object of limits");
            else if (!limits.TryAdd(asset, Limit(one.Value, isCoin ? ChainEntry.DecimalsOf(chain.Kind) : null, $"{label}: {asset}")))
                members.Problem("assets", $"names {asset} twice");
        }

        return limits;
    }

    private AssetLimit Limit(JsonElement element, int? coinDecimals, string label)
    {
        var members = new EntryMembers(element, label, problems);
        var decimals = coinDecimals ?? (int)members.Number("decimals", 0, Coffer.Amount.DecimalsMax);
        var limit = new AssetLimit(decimals, members.Amount("per_transaction", decimals), members.Amount("per_day", decimals));
        if (limit.PerDay < limit.PerTransaction)
            members.Problem("per_day", "must not be less than per_transaction");
        members.Unknown("is not a member that limits can have");
        return limit;
    }

    private static HashSet<string>? Allow(EntryMembers members, SignerChain chain)
    {
        if (!members.Has("allow"))
            return null;
        var allowed = new HashSet<string>(StringComparer.Ordinal);
        var isGood = members["allow"].ValueKind == JsonValueKind.Array && members["allow"].GetArrayLength() <= AllowMax;
        foreach (var one in isGood ? members["allow"].EnumerateArray() : default)
        {
            isGood &= one.ValueKind == JsonValueKind.String && EntryMembers.TextOf(one) is { Length: <= TextMax } text
                && chain.Address(text) is { } address && (allowed.Add(address) || true);
        }

        if (!isGood)
            members.Problem("allow", $"must be an array of at most {AllowMax} addresses of the chain");
        return allowed;
    }

    private static bool IsId(string text) => StoredKey.IsName(text);

    private static string Shown(string name) => name.Length <= 60 ? name : name[..60] + "...";
}

internal static class AmountMembers
{
    /// <summary>A positive decimal amount in quotes.</summary>
    public static Int128 Amount(this EntryMembers members, string member, int decimals)
    {
        Int128 amount = 0;
        members.Text(member, text => Coffer.Amount.TryParsePositive(text, decimals, out amount, out _),
            $"must be a positive decimal amount in quotes, with at most {decimals} digits after the point");
        return amount;
    }
}
