using System.Globalization;
using System.Numerics;
using Coffer.Chains.Keys;
using Coffer.Tests.Chains;
using Coffer.Tests.Chains.Evm;
using Coffer.Tests.Ledger;

namespace Coffer.Tests.Payouts;

/// <summary>A node on which a hot wallet has plenty of everything, a database with one customer, and what may be asked about both.</summary>
internal sealed class PayWorld : IAsyncDisposable
{
    public static readonly BigInteger Plenty = 1_000 * EvmWorld.Coin;

    /// <summary>No test takes back so many blocks: what the world begins with stays.</summary>
    private const int Buried = 16;

    private readonly List<PayingEvm> processes = [];

    private PayWorld(EvmWorld chain, ChainWorld books, string database) => (Chain, Books, Database) = (chain, books, database);

    public EvmWorld Chain { get; }

    public Anvil Node => Chain.Node;

    public ChainWorld Books { get; }

    public string Database { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<PayWorld> Start(TestCluster cluster, NodeFolder folder)
    {
        var chain = await EvmWorld.Start(folder);
        await chain.Node.Pay(TestHotKey.Address, Plenty);
        await chain.Transfer(chain.Token, TestHotKey.Address, Plenty);
        await chain.Transfer(chain.Tether, TestHotKey.Address, Plenty);
        await chain.Node.Mine();
        var refuser = EvmAddress.Read(await chain.Node.Deploy((await Contracts.Compiled(folder))["Refuser"]))!;
        await chain.Node.Mine(Buried);
        var (books, database) = await ChainWorld.New(cluster);
        var world = new PayWorld(chain, books, database) { Refuser = refuser };
        await using var bank = new PayingEvm(database, chain.Node.Url, world.Tokens);
        foreach (var code in (string[])["ETH", .. PayingEvm.Tokens.Select(token => token.Code)])
            await bank.Credit(code, (Int128)Plenty);
        return world;
    }

    public required string Refuser { get; init; }

    public string[] Tokens => [Chain.Token, Chain.Tether, Chain.Odd, Refuser];

    /// <summary>A process that pays, to the node itself or to what stands before it.</summary>
    public PayingEvm Paying(Uri? node = null, Func<string, Task>? at = null, TimeProvider? time = null)
    {
        var process = new PayingEvm(Database, node ?? Node.Url, Tokens, at, time);
        processes.Add(process);
        return process;
    }

    /// <summary>An address that nobody else is paid at.</summary>
    public static string Receiver(int number)
    {
        var bytes = new byte[EvmAddress.Bytes];
        bytes[0] = 0xC0;
        BitConverter.TryWriteBytes(bytes.AsSpan(4), number);
        return EvmAddress.Write(bytes);
    }

    /// <summary>What an address has, of the coin or of a token, after the last block.</summary>
    public async Task<BigInteger> Held(string address, string? token = null)
    {
        var answer = token is null ? await Node.Call("eth_getBalance", address, "latest")
            : await Node.Call("eth_call", new { to = token, data = Abi.Call("balanceOf(address)", address) }, "latest");
        return Number(answer.GetString()!);
    }

    /// <summary>The transactions of the hot wallet that are in the chain.</summary>
    public async Task<long> Nonce() => (long)Number((await Node.Call("eth_getTransactionCount", TestHotKey.Address, "latest")).GetString()!);

    /// <summary>Mines a block and has the processes look, so many times.</summary>
    public async Task Mine(int blocks, params PayingEvm[] looking)
    {
        for (var i = 0; i < blocks; i++)
        {
            await Node.Mine();
            foreach (var process in looking)
                await process.Round(Ct);
        }
    }

    /// <summary>The states of all withdrawals, in the order in which they were asked for.</summary>
    public async Task<string> States() => await Books.Scalar<string>("SELECT string_agg(state::text, ' ' ORDER BY id) FROM withdrawal") ?? "";

    public Task<T?> Scalar<T>(string sql) => Books.Scalar<T>(sql);

    /// <summary>The ledger proves itself, and nothing is left half done.</summary>
    public async Task Clean()
    {
        await using var ledger = TestLedger.On(Database);
        Assert.Empty((await ledger.Verify(Ct)).Findings);
        Assert.Equal(0, await Scalar<long>("SELECT count(*) FROM payout WHERE state = 1"));
        Assert.Equal(0, await Scalar<long>("SELECT count(*) FROM balance WHERE held <> 0"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
            await process.DisposeAsync();
        await Books.DisposeAsync();
        await Chain.DisposeAsync();
    }

    private static BigInteger Number(string hex) => BigInteger.Parse("0" + hex[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
