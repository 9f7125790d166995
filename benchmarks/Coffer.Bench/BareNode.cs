using System.Text;
using System.Text.Json;

namespace Coffer.Bench;

/// <summary>A node without Coffer in between: fills its chain, and fetches blocks from it as fast as the bare calls go.</summary>
internal sealed class BareNode(Uri url) : IDisposable
{
    // As the product asks: so many blocks in one request, so many requests under way.
    private const int BlocksPerRequest = Coffer.Chains.Evm.EvmLimits.BlocksPerRequestMax, RequestsAtOnce = Coffer.Chains.Rpc.RpcLimits.RequestsAtOnce;
    private const int MineAtOnce = 1_000;
    private const int CallsPerRequest = 100;
    private const string Rich = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    private const string Stranger = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    private readonly List<string> _deposits = [];
    private readonly HttpClient _http = new();

    public void Dispose() => _http.Dispose();

    /// <summary>Makes empty blocks, in parts that the node answers in time.</summary>
    public async Task Mine(int blocks)
    {
        for (; blocks > 0; blocks -= MineAtOnce)
            await Call("anvil_mine", $"0x{Math.Min(blocks, MineAtOnce):x}");
    }

    private Task Call(string method, params object[] parameters) => Send([Request(method, parameters)]);

    /// <summary>Makes blocks with so many payments to strangers; every so often there is one more, to these addresses in turn.</summary>
    public async Task Fill(int blocks, int payments, int every, string[] addresses)
    {
        for (var block = 0; block < blocks; block++)
        {
            var strangers = Enumerable.Repeat(Stranger, payments);
            var hashes = await Block(block % every == 0 ? strangers.Append(addresses[block / every % addresses.Length]) : strangers);
            if (block % every == 0)
                _deposits.Add(hashes[^1]);
        }
    }

    /// <summary>Makes one block that pays one wei to each of these.</summary>
    public async Task<List<string>> Block(IEnumerable<string> addresses)
    {
        var hashes = new List<string>();
        foreach (var some in addresses.Chunk(CallsPerRequest))
        {
            var answer = await Send(some.Select(to => Request("eth_sendTransaction", [new { from = Rich, to, value = "0x1", gas = "0x5208" }])));
            using var sent = JsonDocument.Parse(answer);
            hashes.AddRange(sent.RootElement.EnumerateArray().Select(one => one.GetProperty("result").GetString()!));
        }

        await Call("anvil_mine", "0x1");
        return hashes;
    }

    /// <summary>Hands over a signed transaction.</summary>
    public Task Raw(byte[] signed) => Call("eth_sendRawTransaction", "0x" + Convert.ToHexStringLower(signed));

    /// <summary>Fetches the blocks with their transactions and the receipts of the deposits, and reads the answers to the end.</summary>
    public async Task Fetch(int blocks)
    {
        var atOnce = new ParallelOptions { MaxDegreeOfParallelism = RequestsAtOnce };
        await Parallel.ForEachAsync(Enumerable.Range(0, blocks + 1).Chunk(BlocksPerRequest), atOnce,
            async (some, _) => await Send(some.Select(height => Request("eth_getBlockByNumber", [$"0x{height:x}", true]))));
        await Parallel.ForEachAsync(_deposits.Chunk(Coffer.Chains.Rpc.RpcLimits.BatchMax), atOnce,
            async (some, _) => await Send(some.Select(hash => Request("eth_getTransactionReceipt", [hash]))));
    }

    private static object Request(string method, object[] parameters) => new { jsonrpc = "2.0", id = 1, method, @params = parameters };

    private async Task<byte[]> Send(IEnumerable<object> requests)
    {
        using var content = new StringContent(JsonSerializer.Serialize(requests), Encoding.UTF8, "application/json");
        using var response = await _http.PostAsync(url, content);
        var answer = await response.Content.ReadAsByteArrayAsync();
        if (answer.AsSpan().IndexOf("\"error\""u8) >= 0)
            throw new InvalidOperationException(Encoding.UTF8.GetString(answer.AsSpan(0, Math.Min(answer.Length, 500))));
        return answer;
    }
}
