using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Coffer.Server.Host;
using Coffer.Server.Signer;

namespace Coffer.Tests.Signer;

public sealed class SignerFileTests : IDisposable
{
    private const string Good = """
        {"id": "eth", "kind": "evm", "chain_id": 1, "fee_max": "0.01", "assets": {"coin": {"per_transaction": "1", "per_day": "3"}}}
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("coffer-signer-file-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void What_is_left_out_lies_beside_the_file()
    {
        var file = Read($$"""{"chains": [{{Good}}]}""");
        Assert.Equal(($"unix:{folder}/signer.sock", $"{folder}/secret", $"{folder}/signer.log", $"{folder}/keystore.json"),
            (file.Listen, file.SecretFile, file.Log, file.Keystore));
        var chain = file.Chains[0];
        Assert.Equal((Amount.One(16), 10 * Amount.One(18), (IReadOnlySet<string>?)null), (chain.FeeMax, chain.FeePerDay, chain.Allow));
        Assert.Equal(new AssetLimit(18, Amount.One(18), 3 * Amount.One(18)), chain.Assets["coin"]);
    }

    [Fact]
    public void Everything_that_is_wrong_is_named_at_once()
    {
        var message = Fault("""
            {"listen": "http://10.0.0.1:8490", "color": 1, "chains": [
              {"id": "eth", "kind": "evm", "chain_id": 0, "fee_max": 0.01, "assets": {"coin": {"per_transaction": "2", "per_day": "1"}}, "x": 1},
              {"id": "ETH", "kind": "solana", "fee_max": "0", "assets": {}},
              {"id": "btc", "kind": "bitcoin", "bitcoin_network": "main", "fee_max": "0.123456789", "allow": ["nobody"],
               "assets": {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed": {"per_transaction": "1", "per_day": "1"}}},
              {"id": "bsc", "kind": "evm", "chain_id": 56, "key": "Main", "fee_max": "1", "assets": {
                "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed": {"per_transaction": "1", "per_day": "1"}}}
            ]}
            """);
        foreach (var sentence in (string[])
            [
                "the file: listen must be unix: and a path, or http:// with 127.0.0.1", "the file: color is not a member",
                "eth: chain_id must be a whole number, at least 1", "eth: fee_max must be a positive decimal amount in quotes",
                "eth: coin: per_day must not be less than per_transaction", "eth: x is not a member",
                "chain 2: id must be the chain's id", "chain 2: kind must be one of evm, bitcoin, tron", "chain 2: fee_max must be",
                "chain 2: assets must be an object of limits", "btc: fee_max must be a positive decimal amount in quotes, with at most 8 digits",
                "btc: assets has the member 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "btc: allow must be an array",
                "bsc: key must be the name of a key", "bsc: 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed: decimals is missing",
            ])
            Assert.Contains(sentence, message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_chain_listed_twice_would_have_its_limits_twice()
    {
        Assert.Contains("eth is listed 2 times", Fault($$"""{"chains": [{{Good}}, {{Good}}]}"""), StringComparison.Ordinal);
        Assert.Contains("eth and again are the same chain", Fault($$"""{"chains": [{{Good}}, {{Good.Replace("\"eth\"", "\"again\"", StringComparison.Ordinal)}}]}"""),
            StringComparison.Ordinal);
        var tron = JsonNode.Parse(Good)!;
        (tron["id"], tron["kind"]) = ("tron", "tron");
        tron.AsObject().Remove("chain_id");
        var nile = tron.DeepClone();
        nile["id"] = "nile";
        Assert.Contains("tron and nile are the same chain", Fault($$"""{"chains": [{{tron.ToJsonString()}}, {{nile.ToJsonString()}}]}"""), StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_in_the_readme_can_be_used()
    {
        var readme = File.ReadAllText(Path.Combine(Path.GetDirectoryName(Here())!, "..", "..", "..", "README.md"));
        var from = readme.IndexOf("```json\n{\"listen\"", StringComparison.Ordinal) + "```json\n".Length;
        var file = Read(readme[from..readme.IndexOf("```", from, StringComparison.Ordinal)]);
        Assert.Equal(["ethereum", "bitcoin", "tron"], file.Chains.Select(chain => chain.Id));
        Assert.Equal(10_000_000_000, file.Chains[0].Assets["0xdAC17F958D2ee523a2206206994597C13D831ec7"].PerTransaction);
    }

    [Theory]
    [InlineData("{", "it is not valid JSON at line 1")]
    [InlineData("[]", "it must be a JSON object")]
    [InlineData("{}", "chains must be an array of 1 to 50 chains")]
    [InlineData("""{"chains": [7]}""", "chain 1 must be an object")]
    [InlineData("""{"chains": [], "chains": []}""", "or an object has a member twice")]
    public void What_is_no_such_file_is_one_sentence(string text, string sentence) => Assert.Contains(sentence, Fault(text), StringComparison.Ordinal);

    [Theory]
    [InlineData("unix:/run/coffer/signer.sock", true)]
    [InlineData("http://127.0.0.1:8490", true)]
    [InlineData("http://[::1]:8490", true)]
    [InlineData("http://localhost:8490", true)]
    [InlineData("https://127.0.0.1:8490", false)]
    [InlineData("http://0.0.0.0:8490", false)]
    [InlineData("http://192.168.0.1:8490", false)]
    [InlineData("http://127.0.0.1:8490/sign", false)]
    [InlineData("unix:", false)]
    public void A_signer_listens_on_this_machine_only(string listen, bool may) => Assert.Equal(may, SignerFileReader.IsListen(listen));

    private static string Here([CallerFilePath] string path = "") => path;

    private SignerFile Read(string text)
    {
        File.WriteAllText(Path.Combine(folder, "signer.json"), text);
        return SignerFileReader.Read(Path.Combine(folder, "signer.json"));
    }

    private string Fault(string text) => Assert.Throws<SetupFailure>(() => Read(text)).Message;
}
