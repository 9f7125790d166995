using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.HttpOverrides;
using IPNetwork = System.Net.IPNetwork;

namespace Coffer.Server.Auth;

/// <summary>Where a request comes from, compared with lists of addresses and CIDR blocks (RFC 4632, RFC 4291).</summary>
internal static class ClientAddress
{
    /// <summary>
    /// Takes a request's address and scheme from X-Forwarded-For and X-Forwarded-Proto as far as these proxies have written them: from
    /// the right, up to the first address that is none of theirs. Without proxies nobody is believed.
    /// </summary>
    public static void BelieveProxies(WebApplication web, IReadOnlyList<IPNetwork> proxies)
    {
        if (proxies.Count == 0)
            return;
        var headers = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = null };
        headers.KnownProxies.Clear();
        headers.KnownIPNetworks.Clear();
        foreach (var proxy in proxies)
            headers.KnownIPNetworks.Add(proxy);
        web.UseForwardedHeaders(headers);
    }

    /// <summary>
    /// The entry as it is stored, or null if it is neither an address nor a block: an IPv4 address in four decimal parts or an IPv6
    /// address, optionally with a prefix length whose host bits are zero.
    /// </summary>
    public static string? Normal(string entry)
    {
        var slash = entry.IndexOf('/');
        if (!TryAddress(slash < 0 ? entry : entry[..slash], out var address))
            return null;
        if (slash < 0)
            return address.ToString();
        return IPNetwork.TryParse($"{address}/{entry[(slash + 1)..]}", out var block) && block.BaseAddress.Equals(address)
            ? block.ToString() : null;
    }

    /// <summary>Whether the client is at one of these addresses or in one of these blocks.</summary>
    public static bool IsIn(IEnumerable<string> entries, IPAddress? client)
    {
        if (client is null)
            return false;
        var plain = Plain(client);
        foreach (var entry in entries)
        {
            if (entry.Contains('/') ? IPNetwork.Parse(entry).Contains(plain) : IPAddress.Parse(entry).Equals(plain))
                return true;
        }

        return false;
    }

    /// <summary>
    /// Who is counted as one client when requests are counted by address: an IPv4 address, or the /64 of an IPv6 address, since
    /// one customer holds that many of them.
    /// </summary>
    public static string Group(IPAddress? client)
    {
        var plain = Plain(client ?? IPAddress.None);
        if (plain.AddressFamily == AddressFamily.InterNetwork)
            return plain.ToString();
        var bytes = plain.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes).ToString();
    }

    /// <summary>Without the interface of a link-local address; an IPv4 address that came over an IPv6 socket as itself.</summary>
    private static IPAddress Plain(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0
            ? new IPAddress(address.GetAddressBytes()) : address;
    }

    private static bool TryAddress(string text, out IPAddress address)
    {
        // IPAddress also takes 127.1, 0x7f000001, [::1] and zones; what is meant by them is anybody's guess.
        if (!IPAddress.TryParse(text, out var parsed) || text.AsSpan().IndexOfAny("[]%") >= 0
            || (parsed.AddressFamily == AddressFamily.InterNetwork && parsed.ToString() != text))
        {
            address = IPAddress.None;
            return false;
        }

        address = Plain(parsed);
        return true;
    }
}
