using System.Text;
using System.Text.Json;

namespace Coffer.Bench;

/// <summary>A node without Coffer in between: fills its chain, and fetches blocks from it as fast as the bare calls go.</summary>
internal sealed class BareNode(Uri url) : IDisposable
{
    // As the product asks: so many blocks in one request, so many requests under way.
    private const int BlocksPerRequest = Coffer.Chains.Evm.EvmLimits.BlocksPerRequestMax, RequestsAtOnce = Coffer.Chains.Rpc.RpcLimits.RequestsAtOnce;
    private const int CallsPerRequest = 100;
    private const string Rich = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    private const string Stranger = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    private readonly HttpClient _http = new();

    public void Dispose() => _http.Dispose();

    public Task Call(string method, params object[] parameters) => Send([Request(method, parameters)]);

    /// <summary>Makes blocks with so many payments to strangers; every so often there is one more, to these addresses in turn.</summary>
    public async Task Fill(int blocks, int payments, int every, string[] addresses)
    {
        for (var block = 0; block < blocks; block++)
        {
            var strangers = Enumerable.Repeat(Stranger, payments);
            await Block(block % every == 0 ? strangers.Append(addresses[block / every % addresses.Length]) : strangers);
        }
    }

    /// <summary>Makes one block that pays one wei to each of these.</summary>
    public async Task Block(IEnumerable<string> addresses)
    {
        foreach (var some in addresses.Chunk(CallsPerRequest))
            await Send(some.Select(to => Request("eth_sendTransaction", [new { from = Rich, to, value = "0x1", gas = "0x5208" }])));
        await Call("anvil_mine", "0x1");
    }

    /// <summary>Fetches the blocks with their transactions, and reads the answers to the end.</summary>
    public Task Fetch(int blocks) => Parallel.ForEachAsync(Enumerable.Range(0, blocks + 1).Chunk(BlocksPerRequest),
        new ParallelOptions { MaxDegreeOfParallelism = RequestsAtOnce },
        async (some, _) => await Send(some.Select(height => Request("eth_getBlockByNumber", [$"0x{height:x}", true]))));

    private static object Request(string method, object[] parameters) => new { jsonrpc = "2.0", id = 1, method, @params = parameters };

    private async Task Send(IEnumerable<object> requests)
    {
        using var content = new StringContent(JsonSerializer.Serialize(requests), Encoding.UTF8, "application/json");
        using var response = await _http.PostAsync(url, content);
        var answer = await response.Content.ReadAsByteArrayAsync();
        if (answer.AsSpan().IndexOf("\"error\""u8) >= 0)
            throw new InvalidOperationException(Encoding.UTF8.GetString(answer.AsSpan(0, Math.Min(answer.Length, 500))));
    }
}
