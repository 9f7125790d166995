using Microsoft.AspNetCore.DataProtection;

namespace Coffer.Server.Host;

/// <summary>
/// The keys that what must be read again is encrypted with before it goes to the database: files in a folder of their own, which several
/// servers on one database share and a backup must have. A missing key is made; a lost one makes what it encrypted unreadable.
/// </summary>
internal static class EncryptionKeys
{
    /// <summary>The folder in the data folder, unless the settings name another.</summary>
    public const string FolderDefault = "keys";

    // Every server on a database must have the same, whatever folder it was installed to.
    private const string Application = "coffer";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Lets the server's services encrypt with the keys in this folder; makes it when it is not there.</summary>
    /// <exception cref="SetupFailure">It cannot be made, or others may read it.</exception>
    public static void Add(IServiceCollection services, string folder)
    {
        try
        {
            var keys = Directory.CreateDirectory(folder, OwnerOnly);
            if ((File.GetUnixFileMode(keys.FullName) & ~OwnerOnly) != 0)
                throw new SetupFailure($"The folder {folder} holds encryption keys and is open to others: run chmod 700 {folder}.");
            services.AddDataProtection().SetApplicationName(Application).PersistKeysToFileSystem(keys);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new SetupFailure($"The folder {folder} for encryption keys cannot be made or read: check its rights, or name another with "
                + $"{SettingsReader.KeysFolder} ({fault.Message.TrimEnd('.')}).");
        }
    }
}
