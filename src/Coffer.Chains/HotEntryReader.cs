using System.Text.Json;

namespace Coffer.Chains;

/// <summary>The member <c>hot</c> of a chain in the chains file; see <see cref="HotEntry"/>.</summary>
internal static class HotEntryReader
{
    private const int TextMax = 1_000;
    private const int BumpSecondsMax = 86_400;
    private const string UnixPrefix = "unix:";

    /// <summary>The hot wallet, or null after adding at least one problem.</summary>
    public static HotEntry? Read(JsonElement element, ChainKind? kind, string label, List<string> problems)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            problems.Add($"{label} must be an object");
            return null;
        }

        var before = problems.Count;
        var members = new EntryMembers(element, label, problems);
        var isBitcoin = kind is ChainKind.Bitcoin;
        var signer = members.Has("signer") ? members.Text("signer", IsSigner,
            "must be unix: with an absolute path, or http:// with 127.0.0.1, [::1] or localhost and a port") : null;
        var hot = new HotEntry
        {
            Address = isBitcoin ? null : members.Text("address", IsText, "must be an address of the chain"),
            Xpub = isBitcoin ? members.Text("xpub", IsText, "must be an extended public key") : null,
            Signer = signer,
            SecretFile = signer is null ? null : members.Text("secret_file", IsText, "must be the path of a file"),
            FeeMax = FeeMax(members, kind),
            InFlightMax = members.Has("in_flight_max")
                ? (int)members.Number("in_flight_max", 1, HotEntry.InFlightLimit) : HotEntry.InFlightUsual,
            BatchMax = isBitcoin && members.Has("batch_max") ? (int)members.Number("batch_max", 1, HotEntry.BatchLimit) : 1,
            BumpAfter = members.Has("bump_after_seconds")
                ? TimeSpan.FromSeconds(members.Number("bump_after_seconds", 1, BumpSecondsMax)) : HotEntry.BumpAfterUsual,
            Low = Low(members),
        };
        members.Unknown("is not a member that this kind of hot wallet can have");
        return problems.Count == before ? hot : null;
    }

    private static Int128 FeeMax(EntryMembers members, ChainKind? kind)
    {
        var decimals = ChainEntry.DecimalsOf(kind ?? ChainKind.Evm);
        Int128 max = 0;
        members.Text("fee_max", text => Amount.TryParsePositive(text, decimals, out max, out _),
            $"must be a positive decimal amount of the chain's coin in quotes, with at most {decimals} digits after the point");
        return max;
    }

    private static Dictionary<string, string> Low(EntryMembers members)
    {
        var low = new Dictionary<string, string>();
        if (!members.Has("low"))
            return low;
        var isGood = members["low"].ValueKind == JsonValueKind.Object;
        foreach (var one in isGood ? members["low"].EnumerateObject() : default)
        {
            isGood &= one.Value.ValueKind == JsonValueKind.String && EntryMembers.TextOf(one.Value) is { Length: <= TextMax };
            low[one.Name] = isGood ? one.Value.GetString()! : "";
        }

        if (!isGood)
            members.Problem("low", "must be an object of currency codes and decimal amounts in quotes");
        return low;
    }

    private static bool IsText(string text) => text.Length is >= 1 and <= TextMax && !text.Any(char.IsControl);

    // The secret goes over this line, so it must not leave the machine.
    private static bool IsSigner(string text) => text.StartsWith(UnixPrefix, StringComparison.Ordinal)
        ? text.Length > UnixPrefix.Length && Path.IsPathRooted(text[UnixPrefix.Length..])
        : Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme == "http" && url.IsLoopback;
}
