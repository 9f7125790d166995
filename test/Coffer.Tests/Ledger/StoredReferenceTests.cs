using Coffer.Ledger;

namespace Coffer.Tests.Ledger;

/// <summary>References are kept in fewer bytes; whoever reads them must not notice.</summary>
public sealed class StoredReferenceTests(TestCluster cluster)
{
    private const string Hash = "5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060";

    [Theory]
    [InlineData($"bitcoin:{Hash}:native:0", true)]
    [InlineData($"ethereum:0x{Hash}:token:17", true)]
    [InlineData($"sim:01a200ac:{Hash}:internal:0", true)]
    [InlineData($"{Hash}::", true)]
    [InlineData($"a{Hash}:\\1:\n", true)]
    [InlineData($"a*{Hash}:token:0", false)]
    [InlineData($"{Hash}{Hash}:a:b", true)]
    [InlineData($"bitcoin:{Hash}:native", false)]
    [InlineData($"bitcoin:{Hash}0:native:0", true)]
    [InlineData($"bitcoin:{Hash}x:native:0", false)]
    [InlineData("bitcoin:5C504ED432CB51138BCF09AA5E8A410DD4A1E204EF84BFED1BE16DFBA1B22060:native:0", false)]
    [InlineData(Hash, false)]
    [InlineData("withdrawal:order-17", false)]
    [InlineData("::", false)]
    public async Task A_reference_is_read_as_it_was_written(string text, bool shorter)
    {
        await using var ledger = await TestLedger.Open(cluster, new FakeTime(TestLedger.Noon));
        var command = new Correct(TestLedger.Account(1), TestLedger.Wallet(1), TestLedger.Eth, Reference.Of(text), 5, null, "five");
        var made = await ledger.Do(0, command);
        Assert.Equal(text, await ledger.Scalar<string>("SELECT reference_text FROM movement"));
        Assert.Equal(shorter, await ledger.Scalar<bool>("SELECT octet_length(reference_text) + 63 = length($$" + text + "$$) FROM movement_made"));
        Assert.Equal(made.Id, (await ledger.Do(0, command)).Id);
        Assert.Empty((await ledger.Verify(TestContext.Current.CancellationToken)).Findings);
    }
}
