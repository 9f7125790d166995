using System.Runtime.InteropServices;

namespace Coffer.Server.Signer;

/// <summary>What the process that holds the keys asks of the operating system for itself.</summary>
internal static class SignerProcess
{
    private const int SetDumpable = 4, FileSizeExceeded = 25;

    /// <summary>No core dump of this process is written, and no other process of the same user may look into its memory. Linux only.</summary>
    public static void HideMemory()
    {
        if (OperatingSystem.IsLinux())
            _ = prctl(SetDumpable, 0, 0, 0, 0);
    }

    /// <summary>A log that reaches a limit on the size of files is an error that is told, not a signal that ends the process without a word.</summary>
    public static IDisposable TakeFileLimitAsError() =>
        PosixSignalRegistration.Create((PosixSignal)FileSizeExceeded, signal => signal.Cancel = true);

    [DllImport("libc")]
    private static extern int prctl(int option, nuint first, nuint second, nuint third, nuint fourth);
}
