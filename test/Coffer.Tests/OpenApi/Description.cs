using System.Text.Json;
using Coffer.Tests.Docs;

namespace Coffer.Tests.OpenApi;

/// <summary>docs/openapi.json.</summary>
internal static class Description
{
    public static JsonElement Document { get; } = JsonDocument.Parse(File.ReadAllBytes(Checkout.Path("docs", "openapi.json"))).RootElement;

    /// <summary>Each request as method and path, with what is said about it.</summary>
    public static IEnumerable<KeyValuePair<string, JsonElement>> Operations() => Document.GetProperty("paths").EnumerateObject()
        .SelectMany(path => path.Value.EnumerateObject().Select(one => KeyValuePair.Create($"{one.Name.ToUpperInvariant()} {path.Name}", one.Value)));

    /// <summary>What a reference leads to; anything else itself.</summary>
    public static JsonElement Resolved(JsonElement element)
    {
        while (element.TryGetProperty("$ref", out var reference))
            element = reference.GetString()!.Split('/').Skip(1).Aggregate(Document, (at, step) => at.GetProperty(step));
        return element;
    }
}
