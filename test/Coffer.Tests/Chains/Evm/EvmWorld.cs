using System.Numerics;
using Coffer.Chains;
using Coffer.Chains.Evm;
using Coffer.Chains.Keys;

namespace Coffer.Tests.Chains.Evm;

/// <summary>A node with a standard token, a Tether-shaped one and a contract that pays, all of them held by the node's first account.</summary>
internal sealed class EvmWorld : IAsyncDisposable
{
    public const long ChainId = 31337;
    public static readonly BigInteger Coin = BigInteger.Pow(10, 18), Supply = BigInteger.Pow(10, 30);

    private readonly List<EvmChain> chains = [];

    private EvmWorld(Anvil node) => Node = node;

    public Anvil Node { get; }

    public string Token { get; private set; } = "";

    public string Tether { get; private set; } = "";

    public string LookAlike { get; private set; } = "";

    public string Odd { get; private set; } = "";

    public string Payer { get; private set; } = "";

    /// <summary>Addresses that a customer was given.</summary>
    public static string Ours { get; } = Address(0x11);

    public static string AlsoOurs { get; } = Address(0x22);

    public static string Stranger { get; } = Address(0x33);

    /// <summary>How often addresses were asked about.</summary>
    public int Asked { get; private set; }

    public static async Task<EvmWorld> Start(NodeFolder folder, params string[] arguments)
    {
        var code = await Contracts.Compiled(folder);
        var world = new EvmWorld(await Anvil.Start(folder, arguments));
        try
        {
            world.Token = await world.Deploy(code["StandardToken"], Supply);
            world.Tether = await world.Deploy(code["TetherShaped"], Supply);
            world.LookAlike = await world.Deploy(code["StandardToken"], Supply);
            world.Odd = await world.Deploy(code["OddToken"]);
            world.Payer = await world.Deploy(code["Payer"]);
            await world.Transfer(world.Token, world.Payer, Supply / 4);
            await world.Transfer(world.LookAlike, world.Payer, Supply / 4);
            await world.Node.Pay(world.Payer, 100 * Coin);
            await world.Node.Mine();
            return world;
        }
        catch (Exception)
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>The chain as Coffer sees it, by default through the node itself.</summary>
    public EvmChain Chain(TraceKind traces = TraceKind.None, long chainId = ChainId, TimeProvider? time = null, params Uri[] nodes)
    {
        var chain = new EvmChain(new EvmOptions("ethereum", chainId, [Token, Tether, Odd], traces), nodes is [] ? [Node.Url] : nodes, Watch,
            time ?? TimeProvider.System);
        chains.Add(chain);
        return chain;
    }

    /// <summary>What arrives in the next block.</summary>
    public async Task<ChainBlock> Mined(TraceKind traces = TraceKind.None)
    {
        await Node.Mine();
        IChain chain = Chain(traces);
        return (await chain.BlockAt(await Node.Height(), TestContext.Current.CancellationToken))!;
    }

    public Task<string> Transfer(string token, string to, BigInteger amount) =>
        Node.Send(token, Abi.Call("transfer(address,uint256)", to, amount));

    public Task<string> Pay(string call, params object[] arguments) => Node.Send(Payer, Abi.Call(call, arguments));

    public async ValueTask DisposeAsync()
    {
        chains.ForEach(chain => chain.Dispose());
        await Node.DisposeAsync();
    }

    private static string Address(byte filler) => EvmAddress.Write(Enumerable.Repeat(filler, EvmAddress.Bytes).Select((b, i) => (byte)(b + i)).ToArray());

    private async Task<string> Deploy(string code, params BigInteger[] arguments) => EvmAddress.Read(await Node.Deploy(code, arguments))!;

    private Task<IReadOnlySet<string>> Watch(IReadOnlyCollection<string> addresses, CancellationToken ct)
    {
        Asked++;
        return Task.FromResult<IReadOnlySet<string>>(addresses.Where(one => one == Ours || one == AlsoOurs).ToHashSet());
    }
}
