using System.Security.Cryptography;
using Coffer.Server.Sql;

namespace Coffer.Server.Webhooks;

/// <summary>
/// Says at the start when the keys that the database's secrets were encrypted with are not here: a folder that was not restored, or a further
/// server with a folder of its own. No reason to stop, for balances need no secrets; but nothing can be signed until somebody acts.
/// </summary>
internal static partial class CheckSecrets
{
    /// <summary>Whether this server can read the database's secrets, as far as one of them tells.</summary>
    public static async Task<bool> Run(Db db, EndpointSecrets secrets, string folder, DateTimeOffset now, ILogger log, CancellationToken ct)
    {
        if (await db.AnyEndpoint(ct) is not { } endpoint)
            return true;
        try
        {
            secrets.Signing(endpoint, now);
            return true;
        }
        catch (CryptographicException)
        {
            Lost(log, folder);
            return false;
        }
    }

    [LoggerMessage(1, LogLevel.Error, "The keys of the webhook secrets in this database are not in {Folder}: restore it from the backup, or name the "
        + "folder that all servers share with --keys-folder. Until then nothing is delivered; if they are lost, every secret has to be rotated.")]
    private static partial void Lost(ILogger log, string folder);
}
