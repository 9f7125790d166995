using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace Coffer.Tests.Chains.Evm;

/// <summary>
/// A real EVM node on a port of its own that mines when told. It ends with <see cref="DisposeAsync"/>, and also when the tests are killed:
/// a shell holds it that waits for the end of its own input.
/// </summary>
internal sealed class Anvil : IAsyncDisposable
{
    private const string Listening = "Listening on ";
    private static readonly TimeSpan _startTime = TimeSpan.FromSeconds(20), _receiptTime = TimeSpan.FromSeconds(10);
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly Process process;
    private bool stopped;

    private Anvil(Process process, Uri url) => (this.process, Url) = (process, url);

    public Uri Url { get; }

    /// <summary>The node's own accounts, which it signs for; each has 10,000 coins.</summary>
    public string[] Accounts { get; private set; } = [];

    /// <summary>Starts one. It mines only on <see cref="Mine"/>; by default 2 blocks are final, not 64.</summary>
    public static async Task<Anvil> Start(NodeFolder folder, params string[] arguments)
    {
        var program = Path.Combine(await folder.Installed(), "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil");
        var start = new ProcessStartInfo("/bin/sh")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string[] all = ["-c", "exec 3<&0; \"$@\" </dev/null & read -r _ <&3; kill -9 $!", "sh", program, "--host", "127.0.0.1", "--port", "0",
            "--no-mining", "--slots-in-an-epoch", "1", .. arguments];
        foreach (var one in all)
            start.ArgumentList.Add(one);
        var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(_startTime);
        try
        {
            while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
                if (line.StartsWith(Listening, StringComparison.Ordinal))
                {
                    // What it goes on to say has to be taken, or it stops at a full pipe.
                    _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                    var node = new Anvil(process, new Uri("http://" + line[Listening.Length..].Trim()));
                    node.Accounts = [.. (await node.Call("eth_accounts")).EnumerateArray().Select(one => one.GetString()!)];
                    return node;
                }
        }
        catch (Exception)
        {
            process.StandardInput.Close();
            throw;
        }
        process.StandardInput.Close();
        throw new InvalidOperationException("anvil did not start.");
    }

    /// <summary>Any call; fails the test with the node's words when it refuses.</summary>
    public async Task<JsonElement> Call(string method, params object?[] parameters)
    {
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(new { jsonrpc = "2.0", id = 1, method, @params = parameters }));
        content.Headers.ContentType = new("application/json");
        using var response = await http.PostAsync(Url, content);
        var answer = JsonElement.Parse(await response.Content.ReadAsByteArrayAsync());
        Assert.False(answer.TryGetProperty("error", out var error), $"{method}: {error}");
        return answer.GetProperty("result");
    }

    public Task Mine(int count = 1) => Call("anvil_mine", Hex(count));

    /// <summary>Sends coin from an account of the node, to wait for a block; answers the transaction's hash.</summary>
    public Task<string> Pay(string to, BigInteger amount, int from = 0) => Send(to, "0x", amount, from);

    /// <summary>Sends a transaction from an account of the node, to wait for a block, whether it will succeed or not; answers its hash.</summary>
    public async Task<string> Send(string? to, string input, BigInteger amount = default, int from = 0) =>
        (await Call("eth_sendTransaction", new { from = Accounts[from], to, input, value = Hex(amount), gas = Hex(5_000_000) })).GetString()!;

    /// <summary>Deploys a contract in a block of its own; answers its address, as the node writes it.</summary>
    public async Task<string> Deploy(string code, params BigInteger[] arguments)
    {
        var hash = await Send(null, code + string.Concat(arguments.Select(Abi.Word)));
        await Mine();
        return (await Receipt(hash)).GetProperty("contractAddress").GetString()!;
    }

    /// <summary>The receipt of a transaction that was mined.</summary>
    public async Task<JsonElement> Receipt(string hash)
    {
        // It answers mining before everything of the block can be read.
        for (var limit = Stopwatch.StartNew(); limit.Elapsed < _receiptTime; await Task.Delay(10))
            if (await Call("eth_getTransactionReceipt", hash) is { ValueKind: JsonValueKind.Object } receipt)
                return receipt;
        throw new InvalidOperationException($"{hash} has no receipt.");
    }

    public async Task<long> Height() => long.Parse((await Call("eth_blockNumber")).GetString()![2..], NumberStyles.HexNumber);

    /// <summary>Replaces the last blocks by as many empty ones. Their transactions are gone, not waiting again.</summary>
    public Task Reorg(int depth) => Call("anvil_reorg", depth, Array.Empty<object>());

    /// <summary>Forgets the last blocks.</summary>
    public Task Rollback(int depth) => Call("anvil_rollback", depth);

    /// <summary>A transaction's own bytes, to send them again.</summary>
    public async Task<string> Raw(string hash) => (await Call("eth_getRawTransactionByHash", hash)).GetString()!;

    public async ValueTask DisposeAsync()
    {
        if (stopped)
            return;
        stopped = true;
        http.Dispose();
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(_startTime);
        await process.WaitForExitAsync(limit.Token);
        process.Dispose();
    }

    public static string Hex(BigInteger number) =>
        number.IsZero ? "0x0" : "0x" + number.ToString("x", CultureInfo.InvariantCulture).TrimStart('0');
}
