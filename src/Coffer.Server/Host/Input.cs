using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Coffer.Server.Host;

/// <summary>
/// What a caller sent, read member by member: a JSON body or a query string. Every member is asked for by name; <see cref="Check"/>
/// then refuses the request once, naming everything that is missing, malformed, repeated, overlong or unknown. A JSON amount may be
/// a string or a number; it is read from its text, exactly.
/// </summary>
internal sealed class Input
{
    /// <summary>Bytes of a request body that are read.</summary>
    public const int BodyBytesMax = 64 * 1024;

    /// <summary>Longest text of one member, in characters, unless the reader says less.</summary>
    public const int TextMax = 1024;

    private const int DepthMax = 8;

    private readonly Dictionary<string, string?> _texts = new(StringComparer.Ordinal);
    // Most requests are right and most have few members: these are made when they are needed.
    private readonly List<string> _asked = [];
    private Dictionary<string, List<string>>? _faults;
    private Dictionary<string, JsonElement>? _elements;

    /// <summary>Reads the query string; a parameter that comes twice is a fault of that parameter.</summary>
    public static Input Query(HttpContext http)
    {
        var input = new Input();
        foreach (var (name, values) in http.Request.Query)
        {
            input._texts[name] = values[0];
            if (values.Count > 1)
                input.Fault(name, "Send this parameter once.");
        }

        return input;
    }

    /// <summary>Reads a JSON object of at most <see cref="BodyBytesMax"/> bytes; no body at all is an empty object.</summary>
    public static async Task<Input> Body(HttpContext http)
    {
        if (http.Request.ContentLength is null or > 0 && !http.Request.HasJsonContentType() && http.Request.ContentType is not null)
            throw new BadHttpRequestException("", StatusCodes.Status415UnsupportedMediaType);
        var bytes = await ReadBytes(http);
        http.Items[typeof(Input)] = bytes;
        return bytes.Length == 0 ? new Input() : Parse(bytes);
    }

    /// <summary>The bytes of the body, read once; also what an Idempotency-Key is compared by.</summary>
    public static async Task<ReadOnlyMemory<byte>> ReadBytes(HttpContext http)
    {
        if (http.Items.TryGetValue(typeof(Input), out var read) && read is ReadOnlyMemory<byte> earlier)
            return earlier;
        var buffer = new byte[Math.Min(http.Request.ContentLength ?? BodyBytesMax, BodyBytesMax) + 1];
        var length = 0;
        while (await http.Request.Body.ReadAsync(buffer.AsMemory(length), http.RequestAborted) is var count and > 0)
        {
            length += count;
            if (length > BodyBytesMax)
                throw new BadHttpRequestException("", StatusCodes.Status413PayloadTooLarge);
            if (length == buffer.Length)
                Array.Resize(ref buffer, Math.Min(buffer.Length * 2, BodyBytesMax + 1));
        }

        ReadOnlyMemory<byte> bytes = buffer.AsMemory(0, length);
        http.Items[typeof(Input)] = bytes;
        return bytes;
    }

    /// <summary>A text that must be there.</summary>
    public string Text(string name, int max = TextMax) => OptionalText(name, max) ?? Missing(name);

    /// <summary>A text that may be missing or null.</summary>
    public string? OptionalText(string name, int max = TextMax)
    {
        _asked.Add(name);
        if (Element(name) is { } element && element.ValueKind is not (JsonValueKind.String or JsonValueKind.Null))
        {
            Fault(name, "Send this as a JSON string.");
            return null;
        }

        var text = _texts.GetValueOrDefault(name);
        if (text is null)
            return null;
        if (text.Length == 0 || text.Length > max)
            Fault(name, $"Send 1 to {max} characters.");
        else if (text.Any(char.IsControl) || text.Any(char.IsSurrogate) && !IsUnicode(text))
            Fault(name, "Send printable Unicode text without control characters.");
        return text;
    }

    /// <summary>Whether it was sent, also as null: what changes a part leaves the rest out.</summary>
    public bool Has(string name) => _texts.ContainsKey(name);

    /// <summary>A UUID that must be there.</summary>
    public Guid Uuid(string name)
    {
        var id = OptionalUuid(name);
        if (id is null)
            Missing(name);
        return id ?? default;
    }

    /// <summary>A UUID in its canonical form of 36 characters, or missing.</summary>
    public Guid? OptionalUuid(string name)
    {
        var text = OptionalText(name);
        if (text is null)
            return null;
        if (Guid.TryParseExact(text, "D", out var id))
            return id;
        Fault(name, "Send a UUID such as 550e8400-e29b-41d4-a716-446655440000.");
        return null;
    }

    /// <summary>What one of these words stands for; false when it is missing, or is another word and so a fault.</summary>
    public bool OptionalChoice<T>(string name, IReadOnlyDictionary<string, T> values, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        if (OptionalText(name) is not { } word)
            return false;
        if (values.TryGetValue(word, out value))
            return true;
        Fault(name, $"Send one of {string.Join(", ", values.Keys)}.");
        return false;
    }

    /// <summary>A whole number between the bounds, or the default when missing.</summary>
    public int Number(string name, int missing, int min, int max)
    {
        _asked.Add(name);
        var text = RawText(name);
        if (text is null)
            return missing;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max)
            return number;
        Fault(name, $"Send a whole number from {min} to {max}.");
        return missing;
    }

    /// <summary>A JSON boolean, or the default when missing.</summary>
    public bool Flag(string name, bool missing = false)
    {
        _asked.Add(name);
        var text = RawText(name);
        if (text is not (null or "true" or "false"))
            Fault(name, "Send true or false.");
        return text is null ? missing : text == "true";
    }

    /// <summary>The text of an amount as it was sent, string or number; parse it once its currency is known.</summary>
    public string AmountText(string name)
    {
        _asked.Add(name);
        if (Element(name) is { } element && element.ValueKind is not (JsonValueKind.String or JsonValueKind.Number or JsonValueKind.Null))
            Fault(name, "Send the amount as a decimal string such as \"12.50\".");
        return RawText(name) ?? Missing(name);
    }

    /// <summary>An amount above zero in this currency, read exactly from its text.</summary>
    public Int128 Amount(string name, Currency currency) => Amount(name, currency.Decimals);

    /// <summary>An amount above zero of at most so many decimals, in its smallest units; 0 when <see cref="Check"/> will refuse.</summary>
    public Int128 Amount(string name, int decimals)
    {
        var text = AmountText(name);
        if (IsFaulty(name))
            return 0;
        if (Coffer.Amount.TryParsePositive(text, decimals, out var amount, out var fault))
            return amount;
        var message = fault.Sentence(decimals);
        throw new Refused(new(RefusalCode.InvalidAmount, message, new Dictionary<string, object> { [name] = new[] { message } }));
    }

    /// <summary>An amount above zero in this currency, or null when missing.</summary>
    public Int128? OptionalAmount(string name, Currency currency)
    {
        _asked.Add(name);
        return RawText(name) is null ? null : Amount(name, currency);
    }

    /// <summary>A currency by its code in any case; refused at once when this server does not keep it.</summary>
    public Currency? OptionalCurrency(string name, Currencies currencies)
    {
        var code = OptionalText(name);
        if (code is null || IsFaulty(name))
            return null;
        return currencies.TryFind(code, out var currency)
            ? currency
            : throw new Refused(new(RefusalCode.InvalidCurrency, "This server does not keep that currency; GET /currencies/ lists those that it keeps.",
                new Dictionary<string, object> { [name] = new[] { "Unknown currency code." } }));
    }

    /// <summary>A currency that must be there; when it is missing, <see cref="Check"/> refuses and what is returned is not used.</summary>
    public Currency Currency(string name, Currencies currencies)
    {
        if (OptionalCurrency(name, currencies) is { } currency)
            return currency;
        Missing(name);
        return currencies.All[0];
    }

    /// <summary>A list of texts, or null when missing.</summary>
    public IReadOnlyList<string>? OptionalTexts(string name, int countMax, int max = TextMax)
    {
        _asked.Add(name);
        if (Element(name) is not { ValueKind: not JsonValueKind.Null } element)
            return null;
        if (element.ValueKind != JsonValueKind.Array || element.GetArrayLength() > countMax
            || element.EnumerateArray().Any(e => e.ValueKind != JsonValueKind.String || e.GetString()!.Length is 0 || e.GetString()!.Length > max))
        {
            Fault(name, $"Send a JSON array of at most {countMax} strings of 1 to {max} characters.");
            return null;
        }

        return [.. element.EnumerateArray().Select(e => e.GetString()!)];
    }

    /// <summary>Records that a member is wrong; the message says what to send instead.</summary>
    public void Fault(string name, string message)
    {
        _faults ??= new(StringComparer.Ordinal);
        if (!_faults.TryGetValue(name, out var messages))
            _faults[name] = messages = [];
        messages.Add(message);
    }

    /// <summary>Refuses the request if anything that was asked for is wrong, or anything else was sent.</summary>
    public void Check()
    {
        foreach (var name in _texts.Keys)
        {
            if (!_asked.Contains(name))
                Fault(name, "This is not a parameter here; leave it out.");
        }

        if (_faults is null)
            return;
        var first = _faults.First();
        throw new Refused(new(RefusalCode.InvalidRequest, $"{first.Key}: {first.Value[0]}",
            _faults.ToDictionary(f => f.Key, f => (object)f.Value)));
    }

    private static Input Parse(ReadOnlyMemory<byte> bytes)
    {
        var input = new Input();
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = DepthMax, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new JsonException();
            var elements = input._elements = new(StringComparer.Ordinal);
            foreach (var member in document.RootElement.Clone().EnumerateObject())
            {
                elements[member.Name] = member.Value;
                input._texts[member.Name] = member.Value.ValueKind switch
                {
                    JsonValueKind.Null => null,
                    JsonValueKind.String => member.Value.GetString(),
                    _ => member.Value.GetRawText(),
                };
            }
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string with half a surrogate pair.
            throw new Refused(new(RefusalCode.InvalidRequest,
                "The body is not a JSON object with each member once. Send Content-Type: application/json and an object.",
                new Dictionary<string, object> { ["body"] = new[] { "Send one JSON object, each member once." } }));
        }

        return input;
    }

    private static bool IsUnicode(string text)
    {
        try
        {
            return Encoding.UTF8.GetByteCount(text) == new UTF8Encoding(false, true).GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }

    private JsonElement? Element(string name) => _elements is not null && _elements.TryGetValue(name, out var element) ? element : null;

    private bool IsFaulty(string name) => _faults is not null && _faults.ContainsKey(name);

    private string? RawText(string name) => _texts.GetValueOrDefault(name);

    private string Missing(string name)
    {
        if (!IsFaulty(name))
            Fault(name, "This parameter is required.");
        return "";
    }
}
