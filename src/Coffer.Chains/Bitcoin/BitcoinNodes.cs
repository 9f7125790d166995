using Coffer.Chains.Keys;
using Coffer.Chains.Rpc;

namespace Coffer.Chains.Bitcoin;

/// <summary>Which Bitcoin a node is on: told by its first block, which no configuration changes.</summary>
internal static class BitcoinNodes
{
    private const string Main = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
    private const string Testnet3 = "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943";
    private const string Testnet4 = "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043";
    private const string Signet = "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6";
    private const string Regtest = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";

    /// <summary>The nodes of a chain; one on another network is never used.</summary>
    public static RpcNodes Of(string chain, BitcoinOptions options, HttpClient http, TimeProvider time) =>
        new(chain, [.. options.Nodes.Select(url => new RpcNode(url, http, time))], options.Network.Word, Identify, time);

    private static async Task<RpcIdentity> Identify(RpcNode node, CancellationToken ct)
    {
        var first = await node.HashAt(0, ct);
        var (height, _) = await node.Tip(ct);
        return new RpcIdentity(Word(first), height);
    }

    private static string Word(string firstBlock) => firstBlock switch
    {
        Main => BitcoinNetwork.Main.Word,
        Testnet3 or Testnet4 or Signet => BitcoinNetwork.Test.Word,
        Regtest => BitcoinNetwork.Regtest.Word,
        _ => $"that begins with {firstBlock}",
    };
}
