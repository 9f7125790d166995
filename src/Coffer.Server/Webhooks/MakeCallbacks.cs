using System.Collections.Concurrent;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Webhooks;

/// <summary>
/// Sees to it that an account has its callbacks, whose secret signs what is sent to the callback_url of its payments and withdrawals. Called
/// before such a payment or withdrawal is made, and when the account asks for the secret; a second time costs nothing. If the process dies
/// here they are made the next time; what they are told of begins with the event after them, so they must be there first.
/// </summary>
internal sealed class MakeCallbacks(Db db, EndpointSecrets secrets, Ids ids, TimeProvider time)
{
    // Callbacks are never deleted, so what is known once stays true.
    private const int KnownMax = 100_000;

    private readonly ConcurrentDictionary<AccountId, bool> _known = new();

    public async Task Run(short shard, AccountId account, CancellationToken ct)
    {
        if (_known.ContainsKey(account))
            return;
        if (await db.FindCallbacks(shard, account, ct) is null)
        {
            var key = new EndpointKey(shard, account, ids.New());
            var now = time.GetUtcNow();
            var callbacks = new WebhookEndpoint(key, EndpointKind.Callbacks, null, null, null, EndpointState.Enabled, null,
                secrets.New(key.Id).Encrypted, null, null, 0, now, now);
            await db.Transaction((tx, token) => tx.InsertCallbacks(callbacks, token), ct, repeatable: true);
        }

        if (_known.Count >= KnownMax)
            _known.Clear();
        _known[account] = true;
    }
}
