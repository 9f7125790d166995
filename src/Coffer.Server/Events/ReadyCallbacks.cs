namespace Coffer.Server.Events;

/// <summary>Sees to it that what is sent to a callback_url of the account can be signed; called before something with one is made.</summary>
internal delegate Task ReadyCallbacks(short shard, AccountId account, CancellationToken ct);
