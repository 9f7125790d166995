using System.Security.Cryptography;
using Coffer.Server.Host;
using Coffer.Server.Sql;
using Microsoft.AspNetCore.DataProtection;

namespace Coffer.Server.Auth;

/// <summary>
/// Name, password and code -> a new session. Called by the sign-in page.
///
/// A name that nobody has, a wrong password, a wrong code and a disabled user are answered alike and take the same time. Tries are counted
/// per address, per name and address, more widely per name from everywhere, and narrowly for the codes of somebody whose password is right;
/// every window opens again by itself, so nobody is locked out for good. Few passwords are hashed at a time and few wait for it, so that
/// guessers cannot take the processor from everybody else.
///
/// What is read before the slow hash may be old when it ends: a password that was reset meanwhile opens nothing, and a session that was
/// ended meanwhile changes nothing, which is decided in the transaction that writes.
/// </summary>
internal sealed partial class SignIn(Db db, Ids ids, Settings settings, RandomBytes random, IDataProtectionProvider keys, TimeProvider time,
    ILogger<SignIn> log)
{
    /// <summary>Tries a minute for one name from one address.</summary>
    public const int TriesPerMinute = 10;

    /// <summary>Tries a minute for one name from wherever they come: enough that a stranger alone cannot keep its owner out.</summary>
    public const int TriesPerName = 100;

    /// <summary>Codes a minute for one user whose password was right: a million codes are not tried through in a lifetime of passwords.</summary>
    public const int CodesPerMinute = 5;

    /// <summary>How many may be hashed or wait for it; with everybody else it would take too long to be worth waiting for.</summary>
    private const int QueueMax = 32;

    private readonly IDataProtector _protector = keys.CreateProtector("coffer authenticator secret 1");
    // One core stays free for everything else.
    private readonly SemaphoreSlim _hashing = new(Math.Max(1, Environment.ProcessorCount - 1));
    private readonly PasswordHash _nobody = new(new byte[32], new byte[16], PasswordHash.RoundsNow);

    private int _queue;

    private readonly RequestCounters _perAddress =
        new(new RequestRate("address", settings.TokenRequestsPerMinute, TimeSpan.FromMinutes(1), time));

    private readonly RequestCounters _perPair = new(new RequestRate("name", TriesPerMinute, TimeSpan.FromMinutes(1), time));
    private readonly RequestCounters _perName = new(new RequestRate("name", TriesPerName, TimeSpan.FromMinutes(1), time));
    private readonly RequestCounters _perCode = new(new RequestRate("code", CodesPerMinute, TimeSpan.FromMinutes(1), time));

    /// <summary>The secret of a new session for the cookie; null when name, password or code is wrong.</summary>
    /// <param name="address">Who is counted as one caller (<see cref="ClientAddress.Group"/>).</param>
    /// <exception cref="Refused">Too many tries.</exception>
    public async Task<string?> Run(string name, string password, string? code, string address, CancellationToken ct)
    {
        Count(_perAddress, address);
        var called = User.Normal(name);
        User? user = null;
        // What cannot be a name is not kept to count it by, nor asked for.
        if (User.IsName(called))
        {
            Count(_perPair, $"{address} {called}");
            Count(_perName, called);
            user = await db.UserByName(called, ct);
        }

        var right = await Slowly(() => (user?.Password ?? _nobody).Matches(password), ct);
        var now = time.GetUtcNow();
        long? step = null;
        if (user is { DisabledAt: null, Totp: not null } && right)
            Count(_perCode, user.Name);
        if (user is not { DisabledAt: null } || !right
            || (user.Totp is { } encrypted && (step = Accept(user.Id, encrypted, code, user.TotpStep, now)) is null))
        {
            // A name that nobody has may be a password that was typed into the wrong field.
            Failed(log, user?.Name ?? "a name that nobody has", address);
            return null;
        }

        var renewed = user.Password.Rounds < PasswordHash.RoundsNow ? await Slowly(() => PasswordHash.Of(password, random), ct) : null;
        var secret = Secret();
        var made = await db.Transaction(async (tx, token) =>
        {
            if (step is { } used && !await tx.UseTotpStep(user.Id, used, token))
                return false;
            if (!await tx.InsertSession(Authenticate.Hash(secret), ids.New(), user, address, now, now + SessionRow.AgeMax, token))
                return false;
            if (renewed is not null)
                await tx.SetPassword(user.Id, renewed, token);
            return true;
        }, ct);
        return made ? secret : null;
    }

    /// <summary>
    /// Whether it is himself who is signed in: his password and, if he has an authenticator, a code of it, which is used up. Counted like
    /// tries to sign in.
    /// </summary>
    /// <exception cref="Refused">Too many tries.</exception>
    public async Task<bool> IsHimself(Session session, string password, string? code, CancellationToken ct)
    {
        Count(_perPair, $"signed in {session.UserName}");
        if (await db.UserByName(session.UserName, ct) is not { DisabledAt: null } user
            || !await Slowly(() => user.Password.Matches(password), ct))
        {
            Failed(log, session.UserName, "his own session");
            return false;
        }

        if (user.Totp is null)
            return true;
        Count(_perCode, user.Name);
        return Accept(user.Id, user.Totp, code, user.TotpStep, time.GetUtcNow()) is { } step
            && await db.Transaction((tx, token) => tx.UseTotpStep(user.Id, step, token), ct);
    }

    /// <summary>The same, and remembered for <see cref="SessionRow.ProofMax"/>.</summary>
    public async Task<bool> Prove(Session session, string password, string? code, CancellationToken ct)
    {
        if (!await IsHimself(session, password, code, ct))
            return false;
        await db.Transaction((tx, token) => tx.Prove(session.Hash, time.GetUtcNow(), token), ct, repeatable: true);
        return true;
    }

    public Task End(Session session, CancellationToken ct) =>
        db.Transaction((tx, token) => tx.EndSession(session.Hash, time.GetUtcNow(), token), ct, repeatable: true);

    /// <summary>Ends one of the user's own sessions; false when he has none of this id.</summary>
    public Task<bool> End(Session session, Guid id, CancellationToken ct) =>
        db.Transaction((tx, token) => tx.EndSession(session.User, id, time.GetUtcNow(), token), ct, repeatable: true);

    /// <summary>The user's sessions that have not ended.</summary>
    public Task<List<OpenSession>> Open(Session session, CancellationToken ct) => db.OpenSessions(session.User, time.GetUtcNow(), ct);

    /// <summary>A new secret for an authenticator app, and the same encrypted for a form that brings it back with a code.</summary>
    public (byte[] Secret, string Encrypted) NewTotp(Guid user)
    {
        var secret = new byte[Totp.SecretBytes];
        random(secret);
        return (secret, Convert.ToBase64String(Offer(user).Protect(secret)));
    }

    /// <summary>The secret that <see cref="NewTotp"/> encrypted; null when it was not for this user.</summary>
    public byte[]? ReadTotp(Guid user, string encrypted)
    {
        try
        {
            return Offer(user).Unprotect(Convert.FromBase64String(encrypted));
        }
        catch (Exception fault) when (fault is CryptographicException or FormatException)
        {
            return null;
        }
    }

    /// <summary>From now on this user signs in with that authenticator; his other sessions end. False when the code is not its.</summary>
    public async Task<bool> UseTotp(Session session, byte[] secret, string code, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (Totp.Accept(secret, code, now, last: 0) is not { } step)
            return false;
        await Change(session, tx => tx.SetTotp(session.User, For(session.User).Protect(secret), step, ct), ct);
        return true;
    }

    /// <summary>A new password; the user's other sessions end.</summary>
    public async Task SetPassword(Session session, string password, CancellationToken ct)
    {
        var hash = await Slowly(() => PasswordHash.Of(password, random), ct);
        await Change(session, tx => tx.SetPassword(session.User, hash, ct), ct);
    }

    /// <summary>Changes what its user signs in with, and ends his other sessions; nothing when this one has ended meanwhile.</summary>
    private Task Change(Session session, Func<Tx, Task> change, CancellationToken ct) => db.Transaction(async (tx, token) =>
    {
        // The user's row first: it waits for the operator's command, whose end of all sessions is then seen.
        await change(tx);
        if (!await tx.IsOpen(session.Hash, token))
            throw new Refused(new(RefusalCode.Unauthorized, "The session has ended."));
        await tx.EndSessionsOf(session.User, session.Hash, time.GetUtcNow(), token);
    }, ct, repeatable: true);

    private static void Count(RequestCounters counters, string who)
    {
        if (counters.Take(who, out _) is var wait and > 0)
        {
            throw new Refused(new(RefusalCode.RateLimitExceeded, $"Too many tries. Wait {wait} seconds, then try again."));
        }
    }

    private async Task<T> Slowly<T>(Func<T> hash, CancellationToken ct)
    {
        try
        {
            if (Interlocked.Increment(ref _queue) > QueueMax)
                throw new Refused(new(RefusalCode.ServiceUnavailable, "Too many people sign in at this moment. Try again in a minute."));
            await _hashing.WaitAsync(ct);
            try
            {
                return await Task.Run(hash, ct);
            }
            finally
            {
                _hashing.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _queue);
        }
    }

    private long? Accept(Guid user, byte[] encrypted, string? code, long last, DateTimeOffset now)
    {
        var secret = For(user).Unprotect(encrypted);
        var step = Totp.Accept(secret, code ?? "", now, last);
        CryptographicOperations.ZeroMemory(secret);
        return step;
    }

    // A purpose of its own: what stands in the database must not be read by sending it as a form.
    private IDataProtector Offer(Guid user) => For(user).CreateProtector("offer");

    [LoggerMessage(41, LogLevel.Warning, "authn_login_fail: {User} from {Address}")]
    private static partial void Failed(ILogger log, string user, string address);

    private IDataProtector For(Guid user) => _protector.CreateProtector(user.ToString());

    private string Secret()
    {
        Span<byte> bytes = stackalloc byte[SecretText.RandomBytes];
        random(bytes);
        var secret = SecretText.Make(SecretKind.Session, bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return secret;
    }
}
