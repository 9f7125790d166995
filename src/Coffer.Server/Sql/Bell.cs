namespace Coffer.Server.Sql;

/// <summary>
/// Rings when a transaction of this process has committed something that others wait for, so that they need not wait for their next look.
/// Only speed: what other processes commit, or a ring that is lost with a dying connection, is found by looking.
/// </summary>
internal sealed class Bell
{
    private Action<AccountId>? _rung;

    /// <summary>Calls <paramref name="listener"/> with the account each time; it must return at once and not throw. Dispose to end.</summary>
    public IDisposable Listen(Action<AccountId> listener)
    {
        _rung += listener;
        return new Listening(() => _rung -= listener);
    }

    /// <summary>Tells every listener.</summary>
    public void Ring(AccountId account) => _rung?.Invoke(account);

    private sealed class Listening(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
