using System.Security.Cryptography;
using System.Text;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Ledger;

/// <summary>
/// <c>Idempotency-Key</c> for requests that move money: the same key and request have one effect and one answer.
///
/// Called by the routes that move money:
/// <code>
/// web.MapPost("/wallets/transfer", http => idempotency.Run(http, http.Caller().Account, async key =>
/// {
///     var input = await Input.Body(http);                                   // throws Refused: nothing is kept
///     var reference = Reference.Of($"transfer:{key ?? ids.New().ToString()}"); // null: the caller sent no key
///     ...
///     return Reply.Json(201, record);                                       // kept, and sent byte for byte ever after
/// }));
/// </code>
/// Guarantees: a key belongs to the account. Before the work runs the key is claimed by a row, so of many requests at once one
/// runs; the others wait for it a moment and then get its answer with <c>Idempotent-Replayed: true</c>, or 409 when it takes longer.
/// Another request under the same key is 422. Only an answer that the work returned is kept, for
/// <see cref="Settings.IdempotencyDays"/>. A refusal or a fault gives the key back: what depends on the state (a balance that is too
/// low today) must not be frozen, and the caller may correct what was malformed and send it again under the same key.
///
/// If the process dies here: the claim stays without an answer and is taken over after <see cref="ClaimSeconds"/>; the work runs
/// again. That has no second effect because the work derives the reference of its ledger command from the key, and the ledger does a
/// reference once. The same holds when two runs overlap after a take-over.
/// </summary>
internal sealed class IdempotencyApi(Db db, Ids ids, TimeProvider time)
{
    /// <summary>A claim this old belongs to a process that died; work that takes longer is safe to run twice.</summary>
    public const int ClaimSeconds = 15;

    private const int DeleteMax = 5_000;
    private const int WaitFirstMilliseconds = 4;

    /// <summary>How long the others wait for the first of them before they are told that it still runs.</summary>
    private static readonly TimeSpan _waitMax = TimeSpan.FromSeconds(2);

    /// <summary>Runs the work of a request, once per key, and answers it. The work gets the key, or null when none was sent.</summary>
    public async Task Run(HttpContext http, AccountId account, Func<string?, Task<Reply>> work)
    {
        if (IdempotencyKeys.Of(http) is not { } key)
        {
            await Answer.Send(http, await work(null));
            return;
        }

        var digest = await Digest(http);
        var claim = ids.New();
        if (await Claim(account, key, digest, claim) is { } kept)
        {
            await Replay(http, kept);
            return;
        }

        var reply = await Work(account, key, claim, work);
        // Of a run and of another that took it for dead, the first to finish has the one answer, and the other one gives it too.
        if (!await db.FinishKey(account, key, digest, reply.Status, reply.Body, CancellationToken.None)
            && await db.KeptAnswer(account, key, CancellationToken.None) is { Status: { } status, Body: { } body } other
            && other.Digest.AsSpan().SequenceEqual(digest))
            reply = new Reply(status, body);
        await Answer.Send(http, reply);
    }

    /// <summary>Deletes the keys that are older than the operator wants to keep them; called by a worker.</summary>
    public async Task DeleteOld(int days, CancellationToken ct)
    {
        while (await db.DeleteKeys(time.GetUtcNow().AddDays(-days), DeleteMax, ct) == DeleteMax)
        {
            // More of them.
        }
    }

    private async Task<Reply> Work(AccountId account, string key, Guid claim, Func<string?, Task<Reply>> work)
    {
        try
        {
            return await work(key);
        }
        catch
        {
            // Also when the caller went away. Should this fail too, the claim ends by its age.
            await db.ReleaseKey(account, key, claim, CancellationToken.None);
            throw;
        }
    }

    /// <summary>Claims the key (null), or the answer that it has already.</summary>
    private async Task<KeptAnswer?> Claim(AccountId account, string key, byte[] digest, Guid claim)
    {
        var started = time.GetTimestamp();
        for (var wait = WaitFirstMilliseconds; ; wait *= 2)
        {
            var now = time.GetUtcNow();
            if (await db.ClaimKey(account, key, digest, claim, now, now.AddSeconds(-ClaimSeconds), CancellationToken.None))
                return null;
            var kept = await db.KeptAnswer(account, key, CancellationToken.None);
            if (kept is not null && !kept.Digest.AsSpan().SequenceEqual(digest))
            {
                throw new Refused(new(RefusalCode.IdempotencyKeyReused,
                    "This Idempotency-Key came before with another request. Send a new key with a new request."));
            }

            if (kept is { Status: not null })
                return kept;
            if (time.GetElapsedTime(started) > _waitMax)
            {
                throw new Refused(new(RefusalCode.IdempotencyInFlight,
                    "The first request with this Idempotency-Key is still running. Send it again in a moment to get its answer."));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(wait), time);
        }
    }

    private static Task Replay(HttpContext http, KeptAnswer kept)
    {
        IdempotencyKeys.Replayed(http);
        return Answer.Send(http, new Reply(kept.Status!.Value, kept.Body!));
    }

    /// <summary>What the same request is: method, path without its final slash, query and body. Lengths keep the parts apart.</summary>
    private static async Task<byte[]> Digest(HttpContext http)
    {
        var body = await Input.ReadBytes(http);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var head = $"{http.Request.Method}\n{http.Request.Path.Value?.TrimEnd('/')}\n{http.Request.QueryString.Value}\n{body.Length}\n";
        hash.AppendData(Encoding.UTF8.GetBytes(head));
        hash.AppendData(body.Span);
        return hash.GetHashAndReset();
    }
}
