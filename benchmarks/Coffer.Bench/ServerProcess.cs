using System.Diagnostics;
using System.Text.Json;

namespace Coffer.Bench;

/// <summary>Runs <see cref="ReadServer"/> as a child; it ends when its input is closed, also when this process dies.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process, Uri product, Uri bare) => (_process, Product, Bare) = (process, product, bare);

    public Uri Product { get; }

    public Uri Bare { get; }

    public static async Task<ServerProcess> Start(string connectionString, byte[] constant, bool silent = false)
    {
        // ./bench starts the assembly by `dotnet`; the program's own file beside it is the same thing.
        var program = Path.ChangeExtension(typeof(ServerProcess).Assembly.Location, null);
        var process = Process.Start(new ProcessStartInfo(program)
        {
            ArgumentList = { "--server", connectionString, Convert.ToBase64String(constant), silent ? "silent" : "" },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The benchmark's server did not start.");
        var urls = JsonSerializer.Deserialize<Uri[]>(line)!;
        return new ServerProcess(process, urls[0], urls[1]);
    }

    /// <summary>The server's process.</summary>
    public int Id => _process.Id;

    /// <summary>Bytes that the server's process has resident now.</summary>
    public async Task<long> WorkingSet()
    {
        await _process.StandardInput.WriteLineAsync();
        return long.Parse((await _process.StandardOutput.ReadLineAsync())!);
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
