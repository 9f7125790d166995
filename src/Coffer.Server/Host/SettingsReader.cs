using System.Globalization;

namespace Coffer.Server.Host;

/// <summary>One thing that an operator may set: by an option of the command line, else by an environment variable.</summary>
/// <param name="Option">The option, e.g. <c>--port</c>.</param>
/// <param name="Hint">What stands for the value in the help.</param>
/// <param name="About">What it is, with its unit and default.</param>
internal sealed record SettingName(string Option, string Hint, string About)
{
    /// <summary>The environment variable, e.g. <c>COFFER_PORT</c>.</summary>
    public string Variable => "COFFER_" + Option.TrimStart('-').Replace('-', '_').ToUpperInvariant();

    /// <summary>Both names, as a message shows them.</summary>
    public override string ToString() => $"{Option} ({Variable})";
}

/// <summary>
/// Reads <see cref="Settings"/> from texts, all of them before anything starts; every value that is wrong is in the one sentence, so
/// that they are corrected in one go.
/// </summary>
internal sealed class SettingsReader(Func<SettingName, string?> given)
{
    public static readonly SettingName Host = new("--host", "ADDRESS", "Address to listen on (127.0.0.1)");
    public static readonly SettingName Port = new("--port", "PORT", "Port to listen on; 0 takes a free one (8480)");
    public static readonly SettingName PublicUrl = new("--public-url", "URL",
        "The URL that clients use, also the OAuth issuer (where it listens)");
    public static readonly SettingName RequestsPerSecond = new("--requests-per-second", "N",
        "Requests a second that one credential may make (1000)");
    public static readonly SettingName TokenRequests = new("--token-requests-per-minute", "N",
        "Requests a minute to the token endpoints, per client and address (30)");
    public static readonly SettingName TokenSeconds = new("--token-seconds", "N", "Seconds that an access token lives (36000)");
    public static readonly SettingName IdempotencyDays = new("--idempotency-days", "N",
        "Days that a finished Idempotency-Key is remembered (7)");
    public static readonly SettingName KeysFolder = new("--keys-folder", "FOLDER",
        "Keys that secrets in the database are encrypted with; servers on one database share it (keys in the data folder)");

    /// <summary>Every setting, in the order of the help.</summary>
    public static readonly IReadOnlyList<SettingName> All =
        [Host, Port, PublicUrl, RequestsPerSecond, TokenRequests, TokenSeconds, IdempotencyDays, KeysFolder];

    private const int PortMax = 65_535;
    private const int RequestsMax = 1_000_000;
    private const int TokenSecondsMin = 60;
    private const int TokenSecondsMax = 366 * 24 * 3_600;
    private const int IdempotencyDaysMax = 3_660;

    private readonly List<string> _faults = [];

    /// <summary>The settings, or everything that is wrong with them.</summary>
    /// <exception cref="SetupFailure">One sentence that names each wrong value.</exception>
    public static Settings Read(Func<SettingName, string?> given)
    {
        var reader = new SettingsReader(given);
        var missing = new Settings();
        var settings = new Settings
        {
            Host = reader.Address(missing.Host),
            Port = reader.Number(Port, missing.Port, 0, PortMax),
            PublicUrl = reader.Url(),
            RequestsPerSecond = reader.Number(RequestsPerSecond, missing.RequestsPerSecond, 1, RequestsMax),
            TokenRequestsPerMinute = reader.Number(TokenRequests, missing.TokenRequestsPerMinute, 1, RequestsMax),
            TokenSeconds = reader.Number(TokenSeconds, missing.TokenSeconds, TokenSecondsMin, TokenSecondsMax),
            IdempotencyDays = reader.Number(IdempotencyDays, missing.IdempotencyDays, 1, IdempotencyDaysMax),
            KeysFolder = given(KeysFolder),
        };
        return reader._faults.Count == 0
            ? settings
            : throw new SetupFailure($"Correct these settings and start again: {string.Join("; ", reader._faults)}.");
    }

    private int Number(SettingName name, int missing, int min, int max)
    {
        if (given(name) is not { } text)
            return missing;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max)
            return number;
        _faults.Add($"{name} must be a whole number from {min} to {max}, not \"{text}\"");
        return missing;
    }

    private string Address(string missing)
    {
        if (given(Host) is not { } text)
            return missing;
        if (text is "localhost" or "*")
            return text;
        if (System.Net.IPAddress.TryParse(text, out var address))
            return address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();
        _faults.Add($"{Host} must be an IP address such as 127.0.0.1 or 0.0.0.0, not \"{text}\"");
        return missing;
    }

    private string? Url()
    {
        if (given(PublicUrl) is not { } text)
            return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is ("http" or "https")
            && url.Query.Length == 0 && url.Fragment.Length == 0)
            return text.TrimEnd('/');
        _faults.Add($"{PublicUrl} must be a URL such as https://api.example.com, not \"{text}\"");
        return null;
    }
}
