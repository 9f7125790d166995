using System.Text;
using Coffer.Chains;

namespace Coffer.Tests.Rules;

public sealed class ChainsFileTests
{
    private const string Ethereum = """{"id":"ethereum","kind":"evm","network":"ETH","nodes":["http://me:secret@10.0.0.1:8545"],"chain_id":1}""";

    private static IReadOnlyList<ChainEntry> Parse(params string[] chains) =>
        ChainsFile.Parse(Encoding.UTF8.GetBytes($$"""{"chains":[{{string.Join(',', chains)}}]}"""));

    private static ChainsFault Fault(string text) => Assert.Throws<ChainsFault>(() => ChainsFile.Parse(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void What_is_left_out_has_its_usual_value()
    {
        var chain = Assert.Single(Parse(Ethereum));
        Assert.Equal(("ethereum", ChainKind.Evm, "ETH", 1L), (chain.Id, chain.Kind, chain.Network, chain.ChainId));
        Assert.Equal((null, null, TraceKind.None, TimeSpan.FromSeconds(3)), (chain.Xpub, chain.Start, chain.Traces, chain.Poll));
        Assert.Equal("http://10.0.0.1:8545", ChainEntry.Shown(chain.Nodes[0]));
        Assert.Equal(TimeSpan.FromSeconds(10), Parse("""{"id":"b","kind":"bitcoin","network":"BTC","nodes":["http://h"]}""")[0].Poll);
    }

    [Fact]
    public void Every_member_is_read()
    {
        var chains = Parse(
            """
            {"id":"base-2","kind":"evm","network":"BASE","nodes":["https://a/key","http://b:1"],"xpub":"xpub6C","chain_id":8453,
             "start":19000000,"traces":"debug","poll_seconds":7}
            """,
            """{"id":"bitcoin","kind":"bitcoin","network":"BTC","nodes":["http://c"],"bitcoin_network":"regtest","start":0}""",
            """{"id":"tron","kind":"tron","network":"TRX","nodes":["http://d"],"chain_id":728126428,"api_key":"k-1"}""");
        Assert.Equal(("xpub6C", 8453L, 19_000_000L, TraceKind.Debug, TimeSpan.FromSeconds(7)),
            (chains[0].Xpub, chains[0].ChainId, chains[0].Start, chains[0].Traces, chains[0].Poll));
        Assert.Equal(["https://a/key", "http://b:1/"], chains[0].Nodes.Select(node => node.AbsoluteUri));
        Assert.Equal(("regtest", 0L), (chains[1].BitcoinNetwork, chains[1].Start));
        Assert.Equal((728126428L, "k-1"), (chains[2].ChainId, chains[2].ApiKey));
    }

    [Fact]
    public void A_hot_wallet_is_read_with_what_it_may_spend()
    {
        var chains = Parse(
            """
            {"id":"e","kind":"evm","network":"ETH","nodes":["http://a"],"chain_id":1,"hot":{"address":"0xA","signer":"unix:/run/s.sock",
             "secret_file":"/etc/secret","fee_max":"0.01","in_flight_max":7,"bump_after_seconds":9,"low":{"ETH":"0.5"}}}
            """,
            """{"id":"b","kind":"bitcoin","network":"BTC","nodes":["http://a"],"hot":{"xpub":"zpub","fee_max":"0.0001","batch_max":20}}""");
        var (hot, cold) = (chains[0].Hot!, chains[1].Hot!);
        Assert.Equal(("0xA", "unix:/run/s.sock", "/etc/secret", (Int128)10_000_000_000_000_000), (hot.Address, hot.Signer, hot.SecretFile, hot.FeeMax));
        Assert.Equal((7, 1, TimeSpan.FromSeconds(9), "0.5"), (hot.InFlightMax, hot.BatchMax, hot.BumpAfter, hot.Low["ETH"]));
        Assert.Equal((null, "zpub", null, null, (Int128)10_000), (cold.Address, cold.Xpub, cold.Signer, cold.SecretFile, cold.FeeMax));
        Assert.Equal((64, 20, TimeSpan.FromMinutes(3)), (cold.InFlightMax, cold.BatchMax, cold.BumpAfter));
    }

    [Fact]
    public void Everything_that_is_wrong_with_a_hot_wallet_is_named_at_once()
    {
        var fault = Fault("""
            {"chains":[
              {"id":"e","kind":"evm","network":"ETH","nodes":["http://a"],"chain_id":1,"hot":{"signer":"http://10.0.0.1:1","fee_max":0.01,
               "in_flight_max":0,"batch_max":2,"low":["ETH"],"secret":"hunter2"}},
              {"id":"b","kind":"bitcoin","network":"BTC","nodes":["http://a"],"hot":{"signer":"unix:s","fee_max":"0.000000001"}},
              {"id":"t","kind":"tron","network":"TRX","nodes":["http://a"],"hot":1}]}
            """);
        Assert.Equal(
        [
            "e: hot: signer must be unix: with an absolute path, or http:// with 127.0.0.1, [::1] or localhost and a port",
            "e: hot: address is missing",
            "e: hot: secret_file is missing",
            "e: hot: fee_max must be a positive decimal amount of the chain's coin in quotes, with at most 18 digits after the point",
            "e: hot: in_flight_max must be a whole number from 1 to 5000",
            "e: hot: low must be an object of currency codes and decimal amounts in quotes",
            "e: hot: batch_max is not a member that this kind of hot wallet can have",
            "e: hot: secret is not a member that this kind of hot wallet can have",
            "b: hot: signer must be unix: with an absolute path, or http:// with 127.0.0.1, [::1] or localhost and a port",
            "b: hot: xpub is missing",
            "b: hot: secret_file is missing",
            "b: hot: fee_max must be a positive decimal amount of the chain's coin in quotes, with at most 8 digits after the point",
            "t: hot must be an object",
        ], fault.Problems);
        Assert.DoesNotContain("hunter2", fault.Message);
    }

    [Fact]
    public void Everything_that_is_wrong_is_named_at_once_and_no_credential_with_it()
    {
        var fault = Fault("""
            {"chains":[
              {"id":"Eth","kind":"evm","network":"eth","nodes":["me:hunter2@h"],"poll_seconds":0,"more":1},
              {"id":"b","kind":"bitcoin","network":"BTC","nodes":[],"chain_id":1,"xpub":"hunter2 x","bitcoin_network":"signet"},
              {"id":"c","kind":"cosmos"}, 7, {"id":"t","kind":"tron","network":"TRX","nodes":["ftp://u:hunter2@h"],"start":-1}]}
            """);
        Assert.Equal(
        [
            "entry 1: id must be 1 to 40 of a-z, 0-9 and -, and begin with a letter",
            "entry 1: network must be 2 to 12 of A-Z and 0-9, as in the currency file",
            "entry 1: nodes has no URL at place 1; it must be an array of 1 to 10 URLs such as http://user:password@127.0.0.1:8545",
            "entry 1: chain_id is missing",
            "entry 1: poll_seconds must be a whole number from 1 to 3600",
            "entry 1: more is not a member that this kind of chain can have",
            "b: bitcoin_network must be one of main, test, regtest",
            "b: nodes must be an array of 1 to 10 URLs such as http://user:password@127.0.0.1:8545",
            "b: xpub must be an extended public key",
            "b: chain_id is not a member that this kind of chain can have",
            "c: kind must be one of evm, bitcoin, tron",
            "c: network is missing",
            "c: nodes must be an array of 1 to 10 URLs such as http://user:password@127.0.0.1:8545",
            "entry 4 must be an object",
            "t: nodes has no URL at place 1; it must be an array of 1 to 10 URLs such as http://user:password@127.0.0.1:8545",
            "t: start must be a whole number, at least 0",
        ], fault.Problems);
        Assert.DoesNotContain("hunter2", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "it is not valid JSON at line 1, byte 1")]
    [InlineData("[]", "it must be a JSON object with the one member chains, an array")]
    [InlineData("""{"chains":{}}""", "it must be a JSON object with the one member chains, an array")]
    [InlineData("""{"chains":[],"x":1}""", "it must be a JSON object with the one member chains, an array")]
    [InlineData("""{"chains":[]}""", "it must list 1 to 50 chains")]
    [InlineData("""{"chains":[{"id":"a","id":"b"}]}""", "it is not valid JSON, or an object has a member twice")]
    [InlineData("""{"chains":[{"\ud800":"a"}]}""", "it has a member whose name is not valid Unicode")]
    public void A_file_of_another_shape_is_refused(string text, string problem) => Assert.Equal([problem], Fault(text).Problems);

    [Fact]
    public void Two_chains_never_share_a_name_or_a_network()
    {
        var other = Ethereum.Replace("\"ethereum\"", "\"other\"", StringComparison.Ordinal);
        var fault = Assert.Throws<ChainsFault>(() => Parse(Ethereum, Ethereum, other));
        Assert.Equal(["ethereum is listed 2 times", "ethereum and other are both the network ETH"], fault.Problems);
    }
}
