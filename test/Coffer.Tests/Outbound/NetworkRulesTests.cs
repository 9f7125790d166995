using System.Net;
using Coffer.Server.Outbound;

namespace Coffer.Tests.Outbound;

/// <summary>Every class of address that nothing is sent to, one by one.</summary>
public sealed class NetworkRulesTests
{
    private static readonly NetworkRules _none = new([], []);

    [Theory]
    [InlineData("127.0.0.1", "loopback")]
    [InlineData("127.255.255.254", "loopback")]
    [InlineData("::1", "loopback")]
    [InlineData("0.0.0.0", "unspecified")]
    [InlineData("0.1.2.3", "unspecified")]
    [InlineData("::", "unspecified")]
    [InlineData("10.0.0.1", "private")]
    [InlineData("10.255.255.255", "private")]
    [InlineData("172.16.0.1", "private")]
    [InlineData("172.31.255.255", "private")]
    [InlineData("192.168.1.1", "private")]
    [InlineData("169.254.169.254", "link-local")]
    [InlineData("168.63.129.16", "cloud host")]
    [InlineData("fe80::1", "link-local")]
    [InlineData("100.64.0.1", "shared")]
    [InlineData("100.127.255.255", "shared")]
    [InlineData("fc00::1", "private")]
    [InlineData("fd12:3456:789a::1", "private")]
    [InlineData("fec0::1", "private")]
    [InlineData("224.0.0.1", "multicast")]
    [InlineData("239.255.255.255", "multicast")]
    [InlineData("ff02::1", "multicast")]
    [InlineData("240.0.0.1", "reserved")]
    [InlineData("255.255.255.255", "reserved")]
    [InlineData("192.0.0.8", "reserved")]
    [InlineData("192.0.2.1", "documentation")]
    [InlineData("198.51.100.1", "documentation")]
    [InlineData("203.0.113.1", "documentation")]
    [InlineData("2001:db8::1", "documentation")]
    [InlineData("3fff::1", "documentation")]
    [InlineData("198.18.0.1", "benchmarking")]
    [InlineData("192.88.99.1", "6to4")]
    // Addresses inside addresses.
    [InlineData("::ffff:127.0.0.1", "loopback")]
    [InlineData("::ffff:10.0.0.1", "private")]
    [InlineData("::ffff:169.254.169.254", "link-local")]
    [InlineData("::7f00:1", "loopback")]
    [InlineData("::808:808", "IPv4-compatible")]
    [InlineData("64:ff9b::7f00:1", "loopback")]
    [InlineData("64:ff9b::808:808", "NAT64")]
    [InlineData("64:ff9b:1::a00:1", "private")]
    [InlineData("64:ff9b:1::808:808", "NAT64")]
    [InlineData("::ffff:0:7f00:1", "reserved")]
    [InlineData("2606:4700::5efe:7f00:1", "loopback")]
    [InlineData("2606:4700::200:5efe:a00:1", "private")]
    [InlineData("2002:7f00:1::", "loopback")]
    [InlineData("2002:808:808::", "6to4")]
    [InlineData("2001:0:4136:e378:8000:63bf:80ff:fffe", "loopback")]
    [InlineData("2001:0:4136:e378:8000:63bf:f7f7:f7f7", "Teredo")]
    [InlineData("2001:2::1", "reserved")]
    [InlineData("100::1", "reserved")]
    [InlineData("5f00::1", "reserved")]
    [InlineData("4000::1", "reserved")]
    public void Nothing_is_sent_to(string address, string why) => Assert.Equal(why, _none.WhyNot(IPAddress.Parse(address), 443));

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("8.8.8.8")]
    [InlineData("9.255.255.255")]
    [InlineData("11.0.0.0")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("192.169.0.0")]
    [InlineData("223.255.255.255")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("2606:4700:4700::1111")]
    [InlineData("2a00:1450:4001:80e::200e")]
    public void Something_is_sent_to(string address) => Assert.Null(_none.WhyNot(IPAddress.Parse(address), 443));

    [Fact]
    public void The_operator_opens_networks_but_not_what_hides_in_an_address()
    {
        var rules = new NetworkRules([IPNetwork.Parse("10.1.0.0/16"), IPNetwork.Parse("64:ff9b::/96")], []);
        Assert.Null(rules.WhyNot(IPAddress.Parse("10.1.2.3"), 80));
        Assert.Equal("private", rules.WhyNot(IPAddress.Parse("10.2.0.1"), 80));
        Assert.Null(rules.WhyNot(IPAddress.Parse("::ffff:10.1.2.3"), 80));
        Assert.Null(rules.WhyNot(IPAddress.Parse("64:ff9b::808:808"), 80));
        Assert.Equal("loopback", rules.WhyNot(IPAddress.Parse("64:ff9b::7f00:1"), 80));
    }

    [Theory]
    [InlineData("0.0.0.0", "unspecified")]
    [InlineData("0.0.0.1", "unspecified")]
    [InlineData("::", "unspecified")]
    [InlineData("::ffff:0.0.0.0", "unspecified")]
    [InlineData("224.0.0.1", "multicast")]
    [InlineData("ff02::1", "multicast")]
    public void What_nobody_receives_at_stays_shut_though_everything_is_open(string address, string why) => Assert.Equal(why,
        new NetworkRules([IPNetwork.Parse("0.0.0.0/0"), IPNetwork.Parse("::/0")], []).WhyNot(IPAddress.Parse(address), 443));

    [Fact]
    public void A_block_of_one_family_opens_nothing_of_the_other()
    {
        var rules = new NetworkRules([IPNetwork.Parse("::/0")], []);
        Assert.Equal("private", rules.WhyNot(IPAddress.Parse("10.0.0.1"), 443));
        Assert.Equal("private", rules.WhyNot(IPAddress.Parse("::ffff:10.0.0.1"), 443));
        Assert.Null(rules.WhyNot(IPAddress.Parse("fd00::1"), 443));
    }

    [Fact]
    public void The_server_is_recognised_at_every_address_of_its_machine()
    {
        var own = System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(card => card.GetIPProperties().UnicastAddresses).Select(one => one.Address).ToList();
        var rules = new NetworkRules([IPNetwork.Parse("0.0.0.0/0"), IPNetwork.Parse("::/0")], [], () => 8480);
        Assert.NotEmpty(own);
        Assert.All(own, address => Assert.Equal("this server", rules.WhyNot(address, 8480)));
        Assert.Null(rules.WhyNot(IPAddress.Parse("10.255.254.253"), 8480));
    }

    [Fact]
    public void The_server_itself_is_refused_though_its_network_is_open()
    {
        var rules = new NetworkRules([IPNetwork.Parse("0.0.0.0/0"), IPNetwork.Parse("::/0")], [], () => 8480);
        foreach (var self in (string[])["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1", "0.0.0.0", "64:ff9b::7f00:1"])
            Assert.Equal("this server", rules.WhyNot(IPAddress.Parse(self), 8480));
        Assert.Null(rules.WhyNot(IPAddress.Loopback, 8481));
    }
}
