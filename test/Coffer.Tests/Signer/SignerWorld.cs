using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Coffer.Chains.Evm;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Server.Host;
using Coffer.Server.Signer;

namespace Coffer.Tests.Signer;

/// <summary>A signer's folder with one EVM chain, one of Tron and one of Bitcoin, the signer itself, and requests to it.</summary>
internal sealed class SignerWorld : IDisposable
{
    public const string Token = "0xdAC17F958D2ee523a2206206994597C13D831ec7";
    public const string Receiver = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    public const string Other = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359";
    public const long ChainId = 31_337;

    private int requests;

    public SignerWorld(Action<JsonObject>? change = null)
    {
        Folder = Directory.CreateTempSubdirectory("coffer-signer-").FullName;
        Opener = new KeystoreLock(new SecretBytes(SHA256.HashData("key"u8)), false);
        Stored = [new("log", StoredKind.Log, new SecretBytes(SHA256.HashData("log"u8))), new("main", StoredKind.Seed, new SecretBytes(SHA256.HashData("seed"u8)))];
        Keystore.Write(In("keystore.json"), Stored, Opener, RandomNumberGenerator.Fill);
        Write("key", Opener.Secret.Span);
        Secrets.MakeShared(In("secret"), RandomNumberGenerator.Fill);
        SignerLog.Begin(In("signer.log"), Stored[0].Secret, Time).Dispose();
        var file = JsonNode.Parse($$$$"""
            {"chains": [
              {"id": "anvil", "kind": "evm", "chain_id": {{{{ChainId}}}}, "fee_max": "0.01", "assets": {
                "coin": {"per_transaction": "1", "per_day": "3"},
                "{{{{Token}}}}": {"decimals": 6, "per_transaction": "100", "per_day": "250"}}},
              {"id": "regtest", "kind": "bitcoin", "bitcoin_network": "regtest", "fee_max": "0.001", "assets": {
                "coin": {"per_transaction": "2", "per_day": "5"}}},
              {"id": "tron", "kind": "tron", "fee_max": "50", "assets": {"coin": {"per_transaction": "1000", "per_day": "3000"}}}
            ]}
            """)!.AsObject();
        change?.Invoke(file);
        File.WriteAllText(In("signer.json"), file.ToJsonString());
        Start();
    }

    public string Folder { get; }

    public FakeTime Time { get; } = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));

    public KeystoreLock Opener { get; }

    public List<StoredKey> Stored { get; }

    public SecretKeys Curve { get; } = new(new byte[SecretKeys.RandomBytes]);

    public SignPayout Sign { get; private set; } = null!;

    public HotKey Key(string chain) => Sign.Chains.Single(one => one.Chain.Id == chain).Key;

    public string In(string file) => Path.Combine(Folder, file);

    public void Write(string file, ReadOnlySpan<byte> content) => PrivateFile.Write(In(file), content);

    /// <summary>A new process on the same files.</summary>
    public void Restart()
    {
        Sign.Dispose();
        Start();
    }

    public void Stop() => Sign.Dispose();

    public void Start() => Sign = SignPayout.Start(SignerFileReader.Read(In("signer.json")), Stored, Curve, Time);

    /// <summary>A request for one payment on the EVM chain whose bytes do what it says, unless they are changed.</summary>
    public SigningRequest Pay(Int128 amount, long nonce, string? asset = null, string? id = null, Int128? fee = null, string to = Receiver,
        Func<FeeMarketTransaction, FeeMarketTransaction>? bytes = null)
    {
        var output = new PayoutOutput(to, asset, amount);
        var (called, value, data) = EvmTransfer.Call(output);
        var transaction = new FeeMarketTransaction
        {
            ChainId = ChainId,
            Nonce = nonce,
            MaxPriorityFeePerGas = 1,
            MaxFeePerGas = (fee ?? 21_000_000) / 21_000,
            Gas = 21_000,
            To = called,
            Value = value,
            Data = data,
        };
        return new SigningRequest($"payout-{++requests}", "anvil", [new SigningPayment(id ?? $"withdrawal-{requests}", output)], Coin("0.01"),
            (bytes is null ? transaction : bytes(transaction)).Unsigned());
    }

    /// <summary>Asks and must get signed bytes, which are held against the plan as the server does.</summary>
    public async Task<SignedPayout> Signed(SigningRequest request)
    {
        var (signed, refusal) = await Sign.Run(request, TestContext.Current.CancellationToken);
        Assert.Null(refusal);
        if (request.Chain == "anvil")
            Assert.Equal(signed!.TxId, EvmTransfer.Accept(request.Unsigned, signed.Bytes, Key("anvil").Address).TxId);
        return signed!;
    }

    /// <summary>Asks and must be refused.</summary>
    public async Task Refused(SigningRefusalCode code, SigningRequest request, string? sentence = null)
    {
        var (signed, refusal) = await Sign.Run(request, TestContext.Current.CancellationToken);
        Assert.Null(signed);
        Assert.Equal(code, refusal!.Code);
        Assert.Contains(sentence ?? "", refusal.Message, StringComparison.Ordinal);
    }

    public static Int128 Coin(string amount) => Amount.TryParse(amount, 18, out var units, out _) ? units : throw new ArgumentException(amount);

    public JsonElement[] Log()
    {
        // The signer has the file for itself among programs that ask; this one does not ask.
        using var cat = Process.Start(new ProcessStartInfo("cat", [In("signer.log")]) { RedirectStandardOutput = true })!;
        return [.. cat.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    public void Dispose()
    {
        Sign.Dispose();
        Curve.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
