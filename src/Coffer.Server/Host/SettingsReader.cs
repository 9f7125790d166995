using System.Globalization;
using System.Net;

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
    public static readonly SettingName Proxies = new("--proxies", "NETWORKS",
        "Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, such as 127.0.0.1/32,10.1.0.0/16 (none)");
    public static readonly SettingName RequestsPerSecond = new("--requests-per-second", "N",
        "Requests a second that one credential may make (1000)");
    public static readonly SettingName TokenRequests = new("--token-requests-per-minute", "N",
        "Requests a minute to the token endpoints, per client and address (30)");
    public static readonly SettingName TokenSeconds = new("--token-seconds", "N", "Seconds that an access token lives (36000)");
    public static readonly SettingName IdempotencyDays = new("--idempotency-days", "N",
        "Days that a finished Idempotency-Key is remembered (7)");
    public static readonly SettingName KeysFolder = new("--keys-folder", "FOLDER",
        "Keys that secrets in the database are encrypted with; servers on one database share it (keys in the data folder)");

    public static readonly SettingName WebhookNetworks = new("--webhook-networks", "NETWORKS",
        "Networks outside the public internet that webhooks may be delivered to, such as 10.1.0.0/16,::1/128 (none)");
    public static readonly SettingName WebhookPorts = new("--webhook-ports", "PORTS",
        "Ports that live accounts may deliver to beside 443 and 8443, such as 9443,10443 (none)");

    public static readonly SettingName ProveHours = new("--prove-hours", "N",
        "Hours between proofs of ledger, chains and hot wallets; 0: only when asked for (24)");
    public static readonly SettingName PricesFile = new("--prices", "FILE",
        "Prices file: where prices come from (none: they are set by coffer rate set)");

    /// <summary>Every setting, in the order of the help.</summary>
    public static readonly IReadOnlyList<SettingName> All =
        [Host, Port, PublicUrl, Proxies, RequestsPerSecond, TokenRequests, TokenSeconds, IdempotencyDays, KeysFolder, WebhookNetworks, WebhookPorts,
        ProveHours, PricesFile];

    private const int PortMax = 65_535;
    private const int RequestsMax = 1_000_000;
    private const int TokenSecondsMin = 60;
    private const int TokenSecondsMax = 366 * 24 * 3_600;
    private const int IdempotencyDaysMax = 3_660;
    private const int ProveHoursMax = 24 * 366;

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
            Proxies = reader.Networks(Proxies),
            RequestsPerSecond = reader.Number(RequestsPerSecond, missing.RequestsPerSecond, 1, RequestsMax),
            TokenRequestsPerMinute = reader.Number(TokenRequests, missing.TokenRequestsPerMinute, 1, RequestsMax),
            TokenSeconds = reader.Number(TokenSeconds, missing.TokenSeconds, TokenSecondsMin, TokenSecondsMax),
            IdempotencyDays = reader.Number(IdempotencyDays, missing.IdempotencyDays, 1, IdempotencyDaysMax),
            KeysFolder = given(KeysFolder),
            WebhookNetworks = reader.Networks(WebhookNetworks),
            WebhookPorts = reader.Ports(),
            ProveHours = reader.Number(ProveHours, missing.ProveHours, 0, ProveHoursMax),
            PricesFile = given(PricesFile),
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

    private List<IPNetwork> Networks(SettingName name)
    {
        var networks = new List<IPNetwork>();
        foreach (var text in Items(name))
        {
            if (IPNetwork.TryParse(text, out var network))
                networks.Add(network);
            else
                _faults.Add($"{name} must be networks such as 10.1.0.0/16,::1/128, not \"{text}\"");
        }

        return networks;
    }

    private List<int> Ports()
    {
        var ports = new List<int>();
        foreach (var text in Items(WebhookPorts))
        {
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= PortMax)
                ports.Add(port);
            else
                _faults.Add($"{WebhookPorts} must be whole numbers from 1 to {PortMax} with commas between them, not \"{text}\"");
        }

        return ports;
    }

    private string[] Items(SettingName name) =>
        given(name)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    private string Address(string missing)
    {
        if (given(Host) is not { } text)
            return missing;
        if (text is "localhost" or "*")
            return text;
        if (IPAddress.TryParse(text, out var address))
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
