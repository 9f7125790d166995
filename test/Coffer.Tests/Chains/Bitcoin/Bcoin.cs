using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Coffer.Tests.Chains.Bitcoin;

/// <summary>
/// A real Bitcoin node on regtest (test/node/bcoin.cjs), with the miner and the strangers that a test needs. It listens on a free port of
/// the loopback, begins at a height where segwit is active and strangers have coins, and ends with whoever started it.
/// </summary>
public sealed class Bcoin : IAsyncDisposable
{
    private const string Password = "regtest-only";
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60), StopTime = TimeSpan.FromSeconds(5);

    private readonly Process process;
    private readonly HttpClient http;

    private Bcoin(Process process, int port)
    {
        this.process = process;
        Port = port;
        Url = new Uri($"http://coffer:{Password}@127.0.0.1:{port}/");
        http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
        http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"coffer:{Password}")));
    }

    public int Port { get; }

    /// <summary>Its RPC, with user and password.</summary>
    public Uri Url { get; }

    public static async Task<Bcoin> Start(NodeFolder node)
    {
        var start = new ProcessStartInfo("node", ["bcoin.cjs"])
        {
            WorkingDirectory = await node.Installed(),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["KEY"] = Password;
        var process = Process.Start(start)!;
        var errors = new StringBuilder();
        process.ErrorDataReceived += (_, line) => errors.AppendLine(line.Data);
        process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(StartTime);
        try
        {
            while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                if (line.StartsWith("ready ", StringComparison.Ordinal))
                    return new Bcoin(process, int.Parse(line[6..]));
            }
        }
        catch (OperationCanceledException)
        {
            errors.AppendLine($"It was not ready after {StartTime}.");
        }

        process.Kill(entireProcessTree: true);
        process.Dispose();
        throw new InvalidOperationException($"bcoin did not start:\n{errors}");
    }

    /// <summary>Any method of its RPC; a <see cref="Refusal"/> when the node says no.</summary>
    public async Task<JsonElement> Call(string method, params object?[] parameters)
    {
        using var answer = await http.PostAsJsonAsync("", new { method, @params = parameters });
        var body = (await answer.Content.ReadFromJsonAsync<JsonElement>())!;
        return body.GetProperty("error") is { ValueKind: not JsonValueKind.Null } error
            ? throw new Refusal(error.GetProperty("code").GetInt32(), error.GetProperty("message").GetString()!)
            : body.GetProperty("result");
    }

    /// <summary>Mines blocks, the first with what waits, and answers the hash of the last.</summary>
    public async Task<string> Mine(int count = 1, string? address = null, bool empty = false) =>
        (await Call("mine", count, address, empty)).EnumerateArray().Last().GetString()!;

    /// <summary>A stranger pays satoshi to each of these, addresses or scripts in hex, in one transaction; answers its id.</summary>
    public Task<string> Pay(params (string To, long Value)[] outputs) => PayFrom(null, outputs);

    /// <summary>As <see cref="Pay"/>, and mines it.</summary>
    public async Task<string> MinePayment(params (string To, long Value)[] outputs)
    {
        var txId = await Pay(outputs);
        await Mine();
        return txId;
    }

    /// <summary>An address of <see cref="Key"/> pays, what is left goes back to it.</summary>
    public async Task<string> PayFrom(string? from, params (string To, long Value)[] outputs) =>
        (await Call("pay", List(outputs), from)).GetString()!;

    /// <summary>The signed bytes of such a payment in hex, not sent.</summary>
    public async Task<string> Make(string? from, params (string To, long Value)[] outputs) =>
        (await Call("make", List(outputs), from)).GetString()!;

    /// <summary>Sends all that an address of <see cref="Key"/> has, less a fee; answers the transaction's id.</summary>
    public async Task<string> Sweep(string from, string to) => (await Call("sweep", from, to)).GetString()!;

    /// <summary>A new P2WPKH address that this node can spend from.</summary>
    public async Task<string> Key() => (await Call("key")).GetString()!;

    /// <summary>Other, empty blocks instead of the last ones; what was in those waits again, or is forgotten.</summary>
    public async Task<string> Reorg(int depth, int? length = null, bool drop = false) =>
        (await Call("reorg", depth, length ?? depth + 1, drop)).GetString()!;

    /// <summary>Takes a transaction out of the mempool, as if it had been replaced; all of them without an id.</summary>
    public Task Forget(string? txId = null) => Call("forget", txId);

    public async Task<long> Height() => (await Call("getblockcount")).GetInt64();

    public async Task<string> HashAt(long height) => (await Call("getblockhash", height)).GetString()!;

    public async Task<byte[]> RawBlock(string hash) => Convert.FromHexString((await Call("getblock", hash, 0)).GetString()!);

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(StopTime);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }

        process.Dispose();
    }

    private static object[][] List((string To, long Value)[] outputs) => [.. outputs.Select(output => new object[] { output.To, output.Value })];
}

/// <summary>One node for a class of tests; each test begins wherever the one before left the chain.</summary>
public sealed class SharedBcoin(NodeFolder node) : IAsyncLifetime
{
    private Bcoin? bcoin;

    public Bcoin Node => bcoin!;

    public async ValueTask InitializeAsync() => bcoin = await Bcoin.Start(node);

    public async ValueTask DisposeAsync()
    {
        if (bcoin is not null)
            await bcoin.DisposeAsync();
    }
}
