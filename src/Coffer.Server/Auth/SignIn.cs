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
/// every window opens again by itself, so nobody is locked out for good. Few passwords are hashed at a time, so that guessers cannot take
/// the processor from everybody else.
/// </summary>
internal sealed class SignIn(Db db, Ids ids, Settings settings, RandomBytes random, IDataProtectionProvider keys, TimeProvider time)
{
    /// <summary>Tries a minute for one name from one address.</summary>
    public const int TriesPerMinute = 10;

    /// <summary>Tries a minute for one name from wherever they come: enough that a stranger alone cannot keep its owner out.</summary>
    public const int TriesPerName = 100;

    /// <summary>Codes a minute for one user whose password was right: a million codes are not tried through in a lifetime of passwords.</summary>
    public const int CodesPerMinute = 5;

    private const int HashesAtOnce = 2;

    private readonly IDataProtector _protector = keys.CreateProtector("coffer authenticator secret 1");
    private readonly SemaphoreSlim _hashing = new(HashesAtOnce);
    private readonly PasswordHash _nobody = new(new byte[32], new byte[16], PasswordHash.RoundsNow);

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
        Count(_perPair, $"{address} {User.Normal(name)}");
        Count(_perName, User.Normal(name));
        var user = await db.UserByName(name, ct);
        var right = await Matches(user?.Password ?? _nobody, password, ct);
        if (user is not { DisabledAt: null } || !right)
            return null;
        var now = time.GetUtcNow();
        long? step = null;
        if (user.Totp is not null)
            Count(_perCode, user.Name);
        if (user.Totp is { } encrypted && (step = Accept(user.Id, encrypted, code, user.TotpStep, now)) is null)
            return null;
        var renewed = user.Password.Rounds < PasswordHash.RoundsNow ? PasswordHash.Of(password, random) : null;
        var secret = Secret();
        var made = await db.Transaction(async (tx, token) =>
        {
            if (step is { } used && !await tx.UseTotpStep(user.Id, used, token))
                return false;
            if (renewed is not null)
                await tx.SetPassword(user.Id, renewed, token);
            return await tx.InsertSession(Authenticate.Hash(secret), ids.New(), user, now, now + SessionRow.AgeMax, token);
        }, ct);
        return made ? secret : null;
    }

    /// <summary>Whether this is the password of a user who is signed in; counted like a try to sign in.</summary>
    public async Task<bool> IsPassword(string name, string password, CancellationToken ct)
    {
        Count(_perName, User.Normal(name));
        return await db.UserByName(name, ct) is { DisabledAt: null } user && await Matches(user.Password, password, ct);
    }

    public Task End(Session session, CancellationToken ct) =>
        db.Transaction((tx, token) => tx.EndSession(session.Hash, time.GetUtcNow(), token), ct, repeatable: true);

    /// <summary>A new secret for an authenticator app, and the same encrypted for a form that brings it back with a code.</summary>
    public (byte[] Secret, string Encrypted) NewTotp(Guid user)
    {
        var secret = new byte[Totp.SecretBytes];
        random(secret);
        return (secret, Convert.ToBase64String(For(user).Protect(secret)));
    }

    /// <summary>The secret that <see cref="NewTotp"/> encrypted; null when it was not for this user.</summary>
    public byte[]? ReadTotp(Guid user, string encrypted)
    {
        try
        {
            return For(user).Unprotect(Convert.FromBase64String(encrypted));
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
        await db.Transaction(async (tx, token) =>
        {
            await tx.SetTotp(session.User, For(session.User).Protect(secret), step, token);
            await tx.EndSessionsOf(session.User, session.Hash, now, token);
        }, ct, repeatable: true);
        return true;
    }

    /// <summary>A new password; the user's other sessions end.</summary>
    public Task SetPassword(Session session, string password, CancellationToken ct)
    {
        var hash = PasswordHash.Of(password, random);
        return db.Transaction(async (tx, token) =>
        {
            await tx.SetPassword(session.User, hash, token);
            await tx.EndSessionsOf(session.User, session.Hash, time.GetUtcNow(), token);
        }, ct, repeatable: true);
    }

    private static void Count(RequestCounters counters, string who)
    {
        if (counters.Take(who, out _) is var wait and > 0)
        {
            throw new Refused(new(RefusalCode.RateLimitExceeded, $"Too many tries. Wait {wait} seconds, then try again."));
        }
    }

    private async Task<bool> Matches(PasswordHash hash, string password, CancellationToken ct)
    {
        await _hashing.WaitAsync(ct);
        try
        {
            return await Task.Run(() => hash.Matches(password), ct);
        }
        finally
        {
            _hashing.Release();
        }
    }

    private long? Accept(Guid user, byte[] encrypted, string? code, long last, DateTimeOffset now)
    {
        var secret = For(user).Unprotect(encrypted);
        var step = Totp.Accept(secret, code ?? "", now, last);
        CryptographicOperations.ZeroMemory(secret);
        return step;
    }

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
