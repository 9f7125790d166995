using System.Diagnostics;
using System.Text;

namespace Coffer.Tests;

/// <summary>Programs of other languages that use Coffer.</summary>
internal static class Programs
{
    /// <summary>Runs a program in a folder and returns what it printed; fails with its errors unless it ends well and in time.</summary>
    public static async Task<string> Run(string place, string program, string[] arguments, TimeSpan time, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = place, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(time);
        var output = new StringBuilder();
        process.OutputDataReceived += (_, line) => output.AppendLine(line.Data);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        process.BeginOutputReadLine();
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', arguments)} took longer than {time}.");
        }

        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} failed:\n{output}\n{await errors}");
        return output.ToString();
    }
}
