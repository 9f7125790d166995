using System.Text.Json;

namespace Coffer.Chains;

/// <summary>
/// Reads the operator's chains file: <c>{"chains":[...]}</c>, one object per chain, members as in <see cref="ChainEntry"/> in snake_case,
/// <c>poll_seconds</c> for the pause. As strict as the currency file, and for the same reason. What may be left out: <c>xpub</c> (the chain
/// gives out no addresses), <c>start</c> (a little below the tip at first sight), <c>traces</c> (<c>none</c>), <c>bitcoin_network</c>
/// (<c>main</c>), <c>poll_seconds</c> (3; Bitcoin 10), <c>api_key</c>, and <c>chain_id</c> except on EVM chains.
/// </summary>
public static class ChainsFile
{
    /// <summary>The most chains that a file may list.</summary>
    public const int CountMax = 50;

    /// <summary>Reads and checks a whole file.</summary>
    /// <param name="json">UTF-8, with or without a byte order mark.</param>
    /// <exception cref="ChainsFault">Names every problem.</exception>
    public static IReadOnlyList<ChainEntry> Parse(ReadOnlySpan<byte> json)
    {
        ReadOnlySpan<byte> mark = [0xEF, 0xBB, 0xBF];
        if (json.StartsWith(mark))
            json = json[mark.Length..];
        try
        {
            using var document = JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Read(document.RootElement);
        }
        catch (InvalidOperationException)
        {
            throw new ChainsFault(["it has a member whose name is not valid Unicode"]);
        }
        catch (JsonException e)
        {
            // The parser's own words quote the file, which may hold a password.
            throw new ChainsFault([e.LineNumber is { } line
                ? $"it is not valid JSON at line {line + 1}, byte {e.BytePositionInLine + 1}"
                : "it is not valid JSON, or an object has a member twice"]);
        }
    }

    private static List<ChainEntry> Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || root.EnumerateObject().Count() != 1
            || !root.TryGetProperty("chains", out var list) || list.ValueKind != JsonValueKind.Array)
            throw new ChainsFault(["it must be a JSON object with the one member chains, an array"]);
        if (list.GetArrayLength() is 0 or > CountMax)
            throw new ChainsFault([$"it must list 1 to {CountMax} chains"]);
        var problems = new List<string>();
        var chains = new List<ChainEntry>();
        var number = 0;
        foreach (var element in list.EnumerateArray())
        {
            if (ChainEntryReader.Read(element, ++number, problems) is { } chain)
                chains.Add(chain);
        }

        // Two chains of one name would share a cursor; two of one network would both credit its currencies.
        foreach (var same in chains.GroupBy(c => c.Id).Where(g => g.Count() > 1))
            problems.Add($"{same.Key} is listed {same.Count()} times");
        foreach (var same in chains.DistinctBy(c => c.Id).GroupBy(c => c.Network).Where(g => g.Count() > 1))
            problems.Add($"{string.Join(" and ", same.Select(c => c.Id))} are both the network {same.Key}");
        return problems.Count == 0 ? chains : throw new ChainsFault(problems);
    }
}
