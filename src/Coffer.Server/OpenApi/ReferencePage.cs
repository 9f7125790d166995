using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Coffer.Server.OpenApi;

/// <summary>
/// The description of the API as one page of HTML that needs no script: by tag every request with its credentials, parameters, body and
/// answers, then the events, then the schemas that they name.
/// </summary>
internal sealed class ReferencePage
{
    /// <summary>All that the page looks like; its digest is in the policy that is sent with it.</summary>
    public const string Style = """
        :root{color-scheme:light dark}
        body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}
        h2{border-bottom:1px solid;margin-top:2.5rem}h3{margin-top:2rem}
        code,pre{font:.9rem/1.4 ui-monospace,monospace}pre{white-space:pre-wrap;border:1px solid;padding:.5rem}
        dt{font-weight:600;margin-top:.5rem}dd{margin-left:1.5rem}nav ul{padding-left:1.2rem}nav a,footer a{line-height:1.8}
        """;

    private const string SchemaPrefix = "#/components/schemas/";
    private static readonly JsonSerializerOptions _examples = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly JsonElement _document;
    private readonly StringBuilder _html = new();

    private ReferencePage(JsonElement document) => _document = document;

    /// <summary>The page of this document.</summary>
    public static string Of(JsonElement document) => new ReferencePage(document).Write();

    private string Write()
    {
        var info = _document.GetProperty("info");
        var title = Text(info, "title");
        Add($"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{Plain(title)}: reference</title>");
        Add($"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><style>{Style}</style></head><body>");
        Add($"<header><h1>{Plain(title)}: reference</h1><p>{Marked(Text(info, "description"))}</p>");
        Add("<p>The same for programs: <a href=\"/openapi.json\">openapi.json</a>.</p></header>");
        var operations = Operations().ToLookup(one => Text(one.Operation.GetProperty("tags")[0]));
        var tags = _document.GetProperty("tags").EnumerateArray().ToList();
        Add("<nav aria-label=\"Requests\"><ul>");
        foreach (var tag in tags)
        {
            Add($"<li>{Plain(Text(tag, "name"))}<ul>");
            foreach (var (name, operation) in operations[Text(tag, "name")])
            {
                Add($"<li><a href=\"#{Text(operation, "operationId")}\">{Plain(Text(operation, "summary"))}</a>");
                Add($" <code>{Plain(name)}</code></li>");
            }

            Add("</ul></li>");
        }

        Add("<li><a href=\"#schemas\">Schemas</a></li></ul></nav><main>");
        foreach (var tag in tags)
        {
            Add($"<section><h2>{Plain(Text(tag, "name"))}</h2><p>{Marked(Text(tag, "description"))}</p>");
            foreach (var (name, operation) in operations[Text(tag, "name")])
                Write(name, operation);
            Add("</section>");
        }

        Add("<section><h2 id=\"schemas\">Schemas</h2>");
        foreach (var schema in _document.GetProperty("components").GetProperty("schemas").EnumerateObject())
            Write(schema);
        Add("</section></main></body></html>");
        return _html.ToString();
    }

    private IEnumerable<(string Name, JsonElement Operation)> Operations() =>
        _document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(one => ($"{one.Name.ToUpperInvariant()} {path.Name}", one.Value)))
            .Concat(_document.GetProperty("webhooks").EnumerateObject().Select(hook => (hook.Name, hook.Value.GetProperty("post"))));

    private void Write(string name, JsonElement operation)
    {
        Add($"<article><h3 id=\"{Text(operation, "operationId")}\">{Plain(Text(operation, "summary"))}</h3>");
        Add($"<p><code>{Plain(name)}</code></p>");
        Add($"<p>{Marked(Text(operation, "description"))}</p><p>{Credentials(operation)}</p>");
        if (operation.TryGetProperty("parameters", out var parameters))
        {
            Add("<h4>Parameters</h4><dl>");
            foreach (var parameter in parameters.EnumerateArray().Select(Resolved))
            {
                var needed = parameter.TryGetProperty("required", out var required) && required.GetBoolean() ? ", required" : "";
                Add($"<dt><code>{Plain(Text(parameter, "name"))}</code> ({Text(parameter, "in")}{needed})</dt>");
                Add($"<dd>{Marked(Text(parameter, "description"))} {Kind(parameter.GetProperty("schema"))}</dd>");
            }

            Add("</dl>");
        }

        if (operation.TryGetProperty("requestBody", out var body))
        {
            Add("<h4>Body</h4>");
            Content(body);
        }

        Add("<h4>Answers</h4><dl>");
        foreach (var answer in operation.GetProperty("responses").EnumerateObject())
        {
            var response = Resolved(answer.Value);
            Add($"<dt><code>{answer.Name}</code></dt><dd>{Marked(Text(response, "description"))}");
            // The errors all look alike: their envelope is named, and shown once among the schemas.
            Content(response, examples: answer.Name[0] == '2');
            Add("</dd>");
        }

        Add("</dl></article>");
    }

    private static string Credentials(JsonElement operation)
    {
        var schemes = operation.GetProperty("security").EnumerateArray().SelectMany(one => one.EnumerateObject());
        var words = schemes.Select(one => one.Name switch
        {
            "apiKey" => "an API key",
            "clientBasic" => "an OAuth client's id and secret",
            _ => one.Value.GetArrayLength() == 0 ? "an access token" : $"an access token with <code>{Plain(Text(one.Value[0]))}</code>",
        }).ToList();
        return words.Count == 0 ? "Needs no credential." : $"Needs {string.Join(" or ", words)}.";
    }

    private void Content(JsonElement holder, bool examples = true)
    {
        if (!holder.TryGetProperty("content", out var content))
            return;
        foreach (var type in content.EnumerateObject())
        {
            Add($"<p><code>{Plain(type.Name)}</code>: {Kind(type.Value.GetProperty("schema"))}</p>");
            if (examples && type.Value.TryGetProperty("example", out var example))
                Add($"<pre>{Plain(JsonSerializer.Serialize(example, _examples))}</pre>");
        }
    }

    private void Write(JsonProperty schema)
    {
        Add($"<article><h3 id=\"schema-{schema.Name}\">{schema.Name}</h3><p>{Marked(Text(schema.Value, "description"))}</p>");
        Add($"<p>{Kind(schema.Value)}</p>");
        Words(schema);
        Members(schema.Value);
        Add("</article>");
    }

    /// <summary>Words that mean something each; a problem's type leads to one of them.</summary>
    private void Words(JsonProperty schema)
    {
        if (!schema.Value.TryGetProperty("x-enumDescriptions", out var words))
            return;
        Add("<dl>");
        foreach (var word in words.EnumerateObject())
            Add($"<dt id=\"{schema.Name}-{word.Name}\"><code>{Plain(word.Name)}</code></dt><dd>{Marked(Text(word.Value))}</dd>");
        Add("</dl>");
    }

    private void Members(JsonElement schema)
    {
        if (!schema.TryGetProperty("properties", out var members))
            return;
        HashSet<string> needed = schema.TryGetProperty("required", out var list) ? [.. list.EnumerateArray().Select(Text)] : [];
        Add("<dl>");
        foreach (var member in members.EnumerateObject())
        {
            Add($"<dt><code>{Plain(member.Name)}</code>{(needed.Contains(member.Name) ? "" : " (may be left out)")}</dt>");
            Add($"<dd>{Kind(member.Value)} {Marked(Text(member.Value, "description"))}");
            Members(member.Value.TryGetProperty("items", out var items) ? items : member.Value);
            Add("</dd>");
        }

        Add("</dl>");
    }

    /// <summary>What a value is, in a few words, with links to the schemas that it names.</summary>
    private static string Kind(JsonElement schema)
    {
        if (schema.TryGetProperty("$ref", out var reference))
        {
            var name = Text(reference)[SchemaPrefix.Length..];
            return $"<a href=\"#schema-{name}\">{name}</a>";
        }

        foreach (var choice in (string[])["oneOf", "anyOf"])
        {
            if (schema.TryGetProperty(choice, out var choices))
                return string.Join(" or ", choices.EnumerateArray().Select(Kind));
        }

        if (schema.TryGetProperty("const", out var one))
            return $"<code>{Plain(one.ToString())}</code>";
        if (schema.TryGetProperty("enum", out var words))
            return string.Join(" or ", words.EnumerateArray().Select(word => $"<code>{Plain(word.GetRawText().Trim('"'))}</code>"));
        if (schema.TryGetProperty("items", out var items))
            return $"list of {Kind(items)}";
        if (!schema.TryGetProperty("type", out var type))
            return "anything";
        return type.ValueKind == JsonValueKind.Array ? string.Join(" or ", type.EnumerateArray().Select(Text)) : Text(type);
    }

    private JsonElement Resolved(JsonElement element)
    {
        if (!element.TryGetProperty("$ref", out var reference))
            return element;
        var at = _document;
        foreach (var step in Text(reference).Split('/')[1..])
            at = at.GetProperty(step);
        return at;
    }

    private void Add(string html) => _html.Append(html).Append('\n');

    private static string Text(JsonElement element) => element.GetString()!;

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString()! : "";

    private static string Plain(string text) => HtmlEncoder.Default.Encode(text);

    /// <summary>Text with code between backticks.</summary>
    private static string Marked(string text) =>
        string.Concat(Plain(text).Split("&#x60;").Select((part, i) => i % 2 == 1 ? $"<code>{part}</code>" : part));
}
