using Coffer.Server.Host;
using Npgsql;

namespace Coffer.Server.Sql;

/// <summary>A connection string as operators have it: Npgsql's keywords, or a <c>postgres://</c> URL as libpq reads it.</summary>
internal static class DatabaseUrl
{
    private static readonly Dictionary<string, string> _keywords = new(StringComparer.OrdinalIgnoreCase)
    {
        ["host"] = "Host",
        ["port"] = "Port",
        ["dbname"] = "Database",
        ["user"] = "Username",
        ["password"] = "Password",
        ["sslmode"] = "SSL Mode",
        ["sslrootcert"] = "Root Certificate",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["connect_timeout"] = "Timeout",
        ["application_name"] = "Application Name",
        ["options"] = "Options",
        ["target_session_attrs"] = "Target Session Attributes",
    };

    /// <summary>Npgsql keywords.</summary>
    /// <exception cref="SetupFailure">It is neither; the text itself is never shown, it may hold a password.</exception>
    public static string ToKeywords(string text)
    {
        try
        {
            return text.StartsWith("postgres://", StringComparison.Ordinal) || text.StartsWith("postgresql://", StringComparison.Ordinal)
                ? FromUrl(new Uri(text))
                : new NpgsqlConnectionStringBuilder(text).ConnectionString;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            throw new SetupFailure("The connection string cannot be understood: write postgres://USER:PASSWORD@HOST:5432/DATABASE "
                + $"or Npgsql keywords such as Host=...;Username=...;Database=... ({e.Message.Split('\n')[0].TrimEnd('.')}).");
        }
    }

    private static string FromUrl(Uri url)
    {
        var keywords = new NpgsqlConnectionStringBuilder();
        if (url.Host.Length > 0)
            keywords.Host = Uri.UnescapeDataString(url.Host);
        if (url.Port > 0)
            keywords.Port = url.Port;
        if (url.AbsolutePath.Trim('/') is { Length: > 0 } database)
            keywords.Database = Uri.UnescapeDataString(database);
        if (url.UserInfo.Split(':', 2) is [{ Length: > 0 } user, .. var rest])
        {
            keywords.Username = Uri.UnescapeDataString(user);
            if (rest.Length > 0)
                keywords.Password = Uri.UnescapeDataString(rest[0]);
        }

        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = pair.Split('=', 2) is [var n, var v] ? (n, Uri.UnescapeDataString(v)) : (pair, "");
            if (!_keywords.TryGetValue(name, out var keyword))
                throw new FormatException($"the parameter {name} is not known here");
            // libpq writes verify-full and read-write, Npgsql VerifyFull and ReadWrite.
            keywords[keyword] = keyword is "SSL Mode" ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }

        return keywords.ConnectionString;
    }

    /// <summary>The connection string with one more setting of the session, besides those that it names already.</summary>
    public static string WithSetting(string connectionString, string setting)
    {
        var keywords = new NpgsqlConnectionStringBuilder(connectionString);
        keywords.Options = $"{keywords.Options} -c {setting}".TrimStart();
        return keywords.ConnectionString;
    }
}
