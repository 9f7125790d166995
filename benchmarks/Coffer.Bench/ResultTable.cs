using System.Globalization;
using System.Text.Json;

namespace Coffer.Bench;

/// <summary>The lines of the report: what, the figure, against what, the ratio, and what it must reach.</summary>
internal sealed class ResultTable
{
    private readonly List<Line> _lines = [];

    /// <summary>Adds a line. <paramref name="met"/> is whether the claim holds in this run; null for a figure without a claim.</summary>
    public void Add(string name, string value, string against, string ratio, string claim, bool? met)
    {
        _lines.Add(new Line(name, value, against, ratio, claim, met));
        Console.Error.WriteLine($"  {name}: {value} {ratio}");
    }

    public void Print(TextWriter output)
    {
        string[][] rows = [["what", "value", "against", "ratio", "claim", ""], .. _lines.Select(l => (string[])
            [l.Name, l.Value, l.Against, l.Ratio, l.Claim, l.Met switch { true => "met", false => "MISSED", null => "" }])];
        var widths = Enumerable.Range(0, 6).Select(c => rows.Max(r => r[c].Length)).ToArray();
        foreach (var row in rows)
            output.WriteLine(string.Join("  ", row.Select((cell, c) => cell.PadRight(widths[c]))).TrimEnd());
    }

    public string Json() => JsonSerializer.Serialize(_lines, new JsonSerializerOptions { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower });

    public static string Number(double value) => value.ToString(value >= 100 ? "N0" : "N2", CultureInfo.InvariantCulture);

    private sealed record Line(string Name, string Value, string Against, string Ratio, string Claim, bool? Met);
}
