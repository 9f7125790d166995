using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Coffer.Server.Outbound;

/// <summary>
/// Where what customers name may be sent to. Every address is judged, of every name, each time a connection is made: what is not the public
/// internet is refused, unless the operator has listed its network; and this server itself is refused in any case.
/// </summary>
internal sealed class NetworkRules(IReadOnlyList<IPNetwork> allowed, IReadOnlyList<int> ports, Func<int?>? ownPort = null)
{
    /// <summary>Ports that live accounts may name without the operator's leave.</summary>
    public static readonly IReadOnlyList<int> UsualPorts = [443, 8443];

    // Nobody receives there, whatever is listed; and what is unspecified, a kernel takes for its own machine.
    private static readonly IPNetwork[] _never =
        [IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("224.0.0.0/4"), IPNetwork.Parse("::/128"), IPNetwork.Parse("ff00::/8")];

    private const int ReservedPorts = 1_024;

    // IANA's special-purpose registries (RFC 6890 and what came after it), as far as somebody could listen there.
    private static readonly (IPNetwork Network, string Name)[] _special =
    [
        (IPNetwork.Parse("0.0.0.0/8"), "unspecified"), (IPNetwork.Parse("10.0.0.0/8"), "private"), (IPNetwork.Parse("100.64.0.0/10"), "shared"),
        (IPNetwork.Parse("127.0.0.0/8"), "loopback"), (IPNetwork.Parse("169.254.0.0/16"), "link-local"),
        // Public by its number, but where Azure's machines reach what runs them.
        (IPNetwork.Parse("168.63.129.16/32"), "cloud host"),
        (IPNetwork.Parse("172.16.0.0/12"), "private"), (IPNetwork.Parse("192.0.0.0/24"), "reserved"),
        (IPNetwork.Parse("192.0.2.0/24"), "documentation"), (IPNetwork.Parse("192.88.99.0/24"), "6to4"),
        (IPNetwork.Parse("192.168.0.0/16"), "private"), (IPNetwork.Parse("198.18.0.0/15"), "benchmarking"),
        (IPNetwork.Parse("198.51.100.0/24"), "documentation"), (IPNetwork.Parse("203.0.113.0/24"), "documentation"),
        (IPNetwork.Parse("224.0.0.0/4"), "multicast"), (IPNetwork.Parse("240.0.0.0/4"), "reserved"),
        (IPNetwork.Parse("::/128"), "unspecified"), (IPNetwork.Parse("::1/128"), "loopback"), (IPNetwork.Parse("::/96"), "IPv4-compatible"),
        (IPNetwork.Parse("64:ff9b::/96"), "NAT64"), (IPNetwork.Parse("64:ff9b:1::/48"), "NAT64"), (IPNetwork.Parse("2001::/32"), "Teredo"),
        (IPNetwork.Parse("2001::/23"), "reserved"), (IPNetwork.Parse("2001:db8::/32"), "documentation"), (IPNetwork.Parse("2002::/16"), "6to4"),
        (IPNetwork.Parse("3fff::/20"), "documentation"), (IPNetwork.Parse("fc00::/7"), "private"), (IPNetwork.Parse("fe80::/10"), "link-local"),
        (IPNetwork.Parse("fec0::/10"), "private"), (IPNetwork.Parse("ff00::/8"), "multicast"),
    ];

    // All of IPv6 that anybody was given an address in.
    private static readonly IPNetwork _globalUnicast = IPNetwork.Parse("2000::/3");

    /// <summary>
    /// Whether an account may name this port. A test account may name those that developers listen on too, but not those where something
    /// else than HTTP is sure to listen: nobody's mail server gets our requests.
    /// </summary>
    public bool IsUsual(int port, Mode mode) =>
        UsualPorts.Contains(port) || ports.Contains(port) || (mode == Mode.Test && port is 80 or >= ReservedPorts);

    /// <summary>Why nothing is sent to this address, in a word; null when it may be.</summary>
    public string? WhyNot(IPAddress address, int port)
    {
        if (IsSelf(address, port))
            return "this server";
        // An address inside an address has to pass as well, whatever is listed.
        foreach (var inner in Inside(address))
        {
            if (WhyNot(inner, port) is { } reason)
                return reason;
        }

        if (_never.Any(network => network.Contains(address)))
            return Special(address);
        if (address.IsIPv4MappedToIPv6 || allowed.Any(network => network.Contains(address)))
            return null;
        return Special(address);
    }

    private static string? Special(IPAddress address)
    {
        foreach (var (network, name) in _special)
        {
            if (network.Contains(address))
                return name;
        }

        return address.AddressFamily == AddressFamily.InterNetworkV6 && !_globalUnicast.Contains(address) ? "reserved" : null;
    }

    private bool IsSelf(IPAddress address, int port)
    {
        if (ownPort?.Invoke() != port)
            return false;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return IPAddress.IsLoopback(plain) || plain.Equals(IPAddress.Any) || plain.Equals(IPAddress.IPv6Any) || NetworkInterface
            .GetAllNetworkInterfaces().Any(card => card.GetIPProperties().UnicastAddresses.Any(own => own.Address.Equals(plain)));
    }

    /// <summary>
    /// The IPv4 addresses that an IPv6 address stands for: mapped, compatible, NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), Teredo (RFC 4380),
    /// ISATAP under any prefix (RFC 5214).
    /// </summary>
    private static IEnumerable<IPAddress> Inside(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            yield break;
        var bytes = address.GetAddressBytes();
        if (address.IsIPv4MappedToIPv6)
            yield return address.MapToIPv4();
        else if (address.IsIPv6Teredo)
            yield return new IPAddress([.. bytes[12..].Select(one => (byte)(one ^ 0xFF))]);
        else if (bytes[0] == 0x20 && bytes[1] == 0x02)
            yield return new IPAddress(bytes[2..6]);
        else if ((bytes[8] & 0xFD) == 0 && bytes[9] == 0 && bytes[10] == 0x5E && bytes[11] == 0xFE)
            yield return new IPAddress(bytes[12..]);
        else if (IPNetwork.Parse("64:ff9b::/96").Contains(address) || IPNetwork.Parse("64:ff9b:1::/48").Contains(address)
            || (IPNetwork.Parse("::/96").Contains(address) && !address.Equals(IPAddress.IPv6Loopback) && !address.Equals(IPAddress.IPv6Any)))
            yield return new IPAddress(bytes[12..]);
    }
}
