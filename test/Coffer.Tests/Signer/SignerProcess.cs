using System.Diagnostics;
using System.Text.Json.Nodes;
using Coffer.Server.Withdrawals;
using Coffer.Tests.Cli;

namespace Coffer.Tests.Signer;

/// <summary><c>coffer signer serve</c> as a process of its own on the files of a world, which has stopped its own signer.</summary>
internal sealed class SignerProcess : IDisposable
{
    private SignerProcess(Binary binary, string listen, SignerClient client) => (Binary, Listen, Client) = (binary, listen, client);

    public Binary Binary { get; }

    public string Listen { get; }

    public SignerClient Client { get; }

    public static async Task<SignerProcess> Start(SignerWorld world, TimeSpan? patience = null)
    {
        var listen = (string?)JsonNode.Parse(await File.ReadAllTextAsync(world.In("signer.json")))!["listen"] ?? $"unix:{world.In("signer.sock")}";
        var binary = Binary.Start("signer", "serve", "--config", world.In("signer.json"), "--keystore-key", world.In("key"));
        var waited = Stopwatch.StartNew();
        while (!binary.Output.Contains("The signer listens on", StringComparison.Ordinal))
        {
            if (binary.HasExited || waited.Elapsed > TimeSpan.FromSeconds(60))
                throw new InvalidOperationException($"The signer does not start: {(await binary.End()).Error}");
            await Task.Delay(20);
        }

        return new SignerProcess(binary, listen, new SignerClient(listen, world.In("secret"), patience));
    }

    public void Dispose()
    {
        Client.Dispose();
        Binary.Dispose();
    }
}
