using System.Net;
using Coffer.Server.Outbound;

namespace Coffer.Tests.Outbound;

/// <summary>The spellings of a URL: one of each is taken, all others are refused with a sentence that says what to send.</summary>
public sealed class TargetUrlTests
{
    private static readonly NetworkRules _none = new([], [9443]);

    [Theory]
    [InlineData("https://shop.example/hooks")]
    [InlineData("https://shop.example")]
    [InlineData("https://shop.example:8443/hooks?a=b&c=%20")]
    [InlineData("https://shop.example:9443/")]
    [InlineData("https://xn--bcher-kva.example/")]
    [InlineData("https://1.1.1.1/hooks")]
    [InlineData("https://[2606:4700:4700::1111]/hooks")]
    [InlineData("https://shop.example/a@b")]
    public void Is_taken(string text) => Assert.True(TargetUrl.TryParse(text, Mode.Live, _none, out _, out var fault), fault);

    [Theory]
    [InlineData("http://shop.example/hooks", "begins with https://")]
    [InlineData("HTTPS://shop.example/hooks", "begins with https://")]
    [InlineData("ftp://shop.example/", "begins with https://")]
    [InlineData("file:///etc/passwd", "begins with https://")]
    [InlineData("https:shop.example", "begins with https://")]
    [InlineData("shop.example/hooks", "begins with https://")]
    [InlineData("https://", "complete URL")]
    [InlineData("https:///hooks", "complete URL|usual form")]
    [InlineData("https://user@shop.example/", "user name")]
    [InlineData("https://user:secret@shop.example/", "user name")]
    [InlineData("https://1.1.1.1@127.0.0.1/", "user name")]
    [InlineData("https://shop.example/#x", "without #")]
    [InlineData("https://shop.example:80/", "Port 80")]
    [InlineData("https://shop.example:22/", "Port 22")]
    [InlineData("https://shop.example:5432/", "Port 5432")]
    [InlineData("https://127.0.0.1/", "loopback")]
    [InlineData("https://localhost/", "loopback")]
    [InlineData("https://api.localhost/", "loopback")]
    [InlineData("https://10.1.2.3/", "private")]
    [InlineData("https://169.254.169.254/latest/meta-data", "link-local")]
    [InlineData("https://[::1]/", "loopback")]
    [InlineData("https://[::ffff:127.0.0.1]/", "loopback|usual form")]
    [InlineData("https://[fd00::1]/", "private")]
    // One number in many dresses.
    [InlineData("https://2130706433/", "usual form")]
    [InlineData("https://0x7f000001/", "usual form")]
    [InlineData("https://0x7f.0.0.1/", "usual form")]
    [InlineData("https://0177.0.0.1/", "usual form")]
    [InlineData("https://127.1/", "usual form")]
    [InlineData("https://127.0.1/", "usual form")]
    [InlineData("https://127.0.0.1./", "usual form")]
    [InlineData("https://shop.example./", "usual form")]
    [InlineData("https://Shop.example/", "usual form")]
    [InlineData("https://１２７.0.0.1/", "ASCII")]
    [InlineData("https://①②⑦.0.0.1/", "ASCII")]
    [InlineData("https://shop。example/", "ASCII")]
    [InlineData("https://bücher.example/", "ASCII")]
    [InlineData("https://shop.example/ hooks", "ASCII")]
    [InlineData("https://shop.example\\@127.0.0.1/", "ASCII")]
    [InlineData("https://shop.example/\r\nHost: x", "ASCII")]
    [InlineData("https://%31%32%37.0.0.1/", "usual form|complete URL")]
    [InlineData("https://[::1%25lo]/", "usual form|complete URL")]
    public void Is_refused(string text, string why)
    {
        Assert.False(TargetUrl.TryParse(text, Mode.Live, _none, out _, out var fault), text);
        Assert.Contains(why.Split('|'), part => fault.Contains(part, StringComparison.Ordinal));
    }

    [Fact]
    public void A_test_account_may_use_http_and_developers_ports_but_no_private_address()
    {
        Assert.True(TargetUrl.TryParse("http://shop.example:3000/", Mode.Test, _none, out _, out _));
        Assert.False(TargetUrl.TryParse("http://127.0.0.1:3000/", Mode.Test, _none, out _, out _));
        Assert.True(TargetUrl.TryParse("http://shop.example/", Mode.Test, _none, out _, out _));
        foreach (var port in (int[])[22, 25, 53, 81, 445, 1_023])
            Assert.False(TargetUrl.TryParse($"http://shop.example:{port}/", Mode.Test, _none, out _, out _), $"{port}");
        var open = new NetworkRules([IPNetwork.Parse("127.0.0.0/8")], []);
        Assert.True(TargetUrl.TryParse("http://localhost:3000/", Mode.Test, open, out _, out _));
        Assert.False(TargetUrl.TryParse("http://localhost:3000/", Mode.Live, open, out _, out _));
    }

    [Fact]
    public void An_overlong_url_is_refused() =>
        Assert.False(TargetUrl.TryParse("https://shop.example/" + new string('a', TargetUrl.LengthMax), Mode.Live, _none, out _, out _));
}
