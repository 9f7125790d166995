using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Coffer.Server.Sql;

namespace Coffer.Tests.Cli;

/// <summary>The real program as a process of its own, with an environment in which nothing of Coffer is set.</summary>
internal sealed class Binary : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "Coffer.Server.dll");
    private readonly Process process;
    private readonly StringBuilder output = new(), error = new();

    private Binary(string[] arguments, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileName(host) == "dotnet" ? host : "dotnet",
            ["exec", Program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("COFFER_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Add(output, line.Data);
        process.ErrorDataReceived += (_, line) => Add(error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Output => Text(output);

    public string Error => Text(error);

    public bool HasExited => process.HasExited;

    public int Id => process.Id;

    public static Binary Start(params string[] arguments) => new(arguments, []);

    public static Binary Start(string[] arguments, params (string Name, string Value)[] environment) => new(arguments, environment);

    /// <summary>Runs to its end.</summary>
    public static Task<Ended> Run(params string[] arguments) => Run(arguments, []);

    public static async Task<Ended> Run(string[] arguments, params (string Name, string Value)[] environment)
    {
        using var binary = new Binary(arguments, environment);
        return await binary.End();
    }

    /// <summary>Waits for its end.</summary>
    public async Task<Ended> End()
    {
        using var limit = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(limit.Token);
        return new Ended(process.ExitCode, Output, Error);
    }

    public Task<Ended> Signal(int signal)
    {
        Postmaster.Signal(process.Id, signal);
        return End();
    }

    /// <summary>Waits until the file of <c>--ready</c> is there.</summary>
    public async Task<JsonElement> Ready(string file)
    {
        var start = Stopwatch.StartNew();
        while (!File.Exists(file))
        {
            if (process.HasExited || start.Elapsed > Patience)
                throw new InvalidOperationException($"coffer is not ready: {Error}{Output}");
            await Task.Delay(20);
        }

        return JsonDocument.Parse(await File.ReadAllBytesAsync(file)).RootElement;
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
    }

    private static void Add(StringBuilder text, string? line)
    {
        if (line is null)
            return;
        lock (text)
            text.Append(line).Append('\n');
    }

    private static string Text(StringBuilder text)
    {
        lock (text)
            return text.ToString();
    }
}

/// <summary>A process that has ended.</summary>
internal sealed record Ended(int Status, string Output, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;
}
