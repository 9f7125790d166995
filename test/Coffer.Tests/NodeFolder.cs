using System.Runtime.CompilerServices;

[assembly: AssemblyFixture(typeof(Coffer.Tests.NodeFolder))]

namespace Coffer.Tests;

/// <summary>
/// The folder <c>test/node</c>: programs that use Coffer through packages of npm, unmodified. The packages are installed once per run, from
/// the lock file, into a copy of the folder outside the sources.
/// </summary>
public sealed class NodeFolder : IAsyncLifetime
{
    private static readonly TimeSpan InstallTime = TimeSpan.FromMinutes(3), RunTime = TimeSpan.FromMinutes(4);
    private readonly SemaphoreSlim installing = new(1);
    private DirectoryInfo? folder;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>The folder with the packages in it, to start programs from; installed when first asked for. No package runs a script.</summary>
    public async Task<string> Installed()
    {
        await installing.WaitAsync();
        try
        {
            if (folder is null)
            {
                var place = Directory.CreateTempSubdirectory("coffer-node-");
                foreach (var file in Directory.GetFiles(Sources()))
                    File.Copy(file, Path.Combine(place.FullName, Path.GetFileName(file)));
                await Programs.Run(place.FullName, "npm", ["ci", "--ignore-scripts"], InstallTime, []);
                folder = place;
            }

            return folder.FullName;
        }
        finally
        {
            installing.Release();
        }
    }

    /// <summary>Runs one of the programs and returns what it printed; fails with its errors unless it ends well.</summary>
    public async Task<string> Run(string script, params (string Name, string Value)[] environment)
    {
        var place = await Installed();
        return await Programs.Run(place, "node", [script], RunTime, environment);
    }

    public ValueTask DisposeAsync()
    {
        folder?.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    private static string Sources([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "..", "node");
}
