using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Coffer.Server.Commands;

/// <summary>
/// What a command has to say: lines for people, or with <c>--json</c> one JSON object whose members are in snake_case and stay.
/// </summary>
internal sealed class Output
{
    private static readonly JsonSerializerOptions _form = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly TextWriter _writer;
    private readonly bool _json;

    private Output(TextWriter writer, bool json) => (_writer, _json) = (writer, json);

    /// <summary>The option; one for each command that it is added to.</summary>
    public static Option<bool> Option() => new("--json") { Description = "Print one JSON object instead of text" };

    public static Output Of(ParseResult parsed, Option<bool> json) =>
        new(parsed.InvocationConfiguration.Output, parsed.GetValue(json));

    /// <summary>Prints the record as JSON, or the lines.</summary>
    public void Write<T>(T record, params ReadOnlySpan<string> lines)
    {
        if (_json)
            _writer.WriteLine(JsonSerializer.Serialize(record, _form));
        else
            foreach (var line in lines)
                _writer.WriteLine(line);
        _writer.Flush();
    }
}
