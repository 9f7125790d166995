namespace Coffer.Server.Dashboard;

/// <summary>Cells of a CSV file (RFC 4180) that spreadsheets take for nothing but text and figures.</summary>
internal static class Csv
{
    // With the wide forms that some spreadsheets take for the same.
    private const string Formula = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20";

    /// <summary>Quoted where it must be. What a spreadsheet would run as a formula gets an apostrophe before it; a negative figure is none.</summary>
    public static string Cell(string text)
    {
        if (text.Length > 0 && Formula.Contains(text.TrimStart(' ', '"').FirstOrDefault(), StringComparison.Ordinal) && !IsFigure(text))
            text = "'" + text;
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static bool IsFigure(string text) => text.Length > 1 && text[0] == '-' && text.AsSpan(1).IndexOfAnyExcept("0123456789.") < 0;
}
