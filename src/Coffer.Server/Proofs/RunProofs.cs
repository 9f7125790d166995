using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Proofs;

/// <summary>
/// Proves what can be proven, each day and whenever an operator asks, and keeps the results. Called by a worker of every server.
///
/// Guarantees: a proof that was asked for is run, by one server at a time; what is wrong is logged as critical and kept for ever. A proof
/// reads only, in memory of constant size, beside everything else that the server does.
/// If the process dies here: the proof is silent, and another process, or this one when it is back, runs it again from its start.
/// </summary>
internal sealed partial class RunProofs(
    IReadOnlyList<ProofSubject> subjects, TimeSpan? every, Db db, Ids ids, TimeProvider time, ILogger log, CancellationToken stopping)
{
    /// <summary>Who asks when nobody does.</summary>
    public const string Schedule = "schedule";

    /// <summary>The pause between two looks for proofs that are asked for.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>A server that has just started has other things to do first.</summary>
    public static readonly TimeSpan FirstAfter = TimeSpan.FromMinutes(10);

    /// <summary>How often a running proof says that it is alive, and how long its silence is waited for before another takes it.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(20), Silence = TimeSpan.FromMinutes(2);

    /// <summary>How long a proof that found nothing wrong is kept.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(400);

    /// <summary>Findings that are kept of a proof; the rest is counted.</summary>
    public const int FindingsMax = 20;

    private readonly string[] _names = [.. subjects.Select(subject => subject.Name)];
    private readonly DateTimeOffset _started = time.GetUtcNow();

    /// <summary>The last results, and what is asked for, in the order of the subjects.</summary>
    public Task<IReadOnlyList<Proof>> Last(CancellationToken ct) => db.LastProofs(_names, ct);

    /// <summary>Asks for a proof of everything, which the next free server begins within <see cref="Pause"/>.</summary>
    public Task Ask(string by, CancellationToken ct) =>
        db.Transaction((tx, token) => tx.AskProofs(Named(), by, time.GetUtcNow(), token), ct, repeatable: true);

    /// <summary>Asks for proofs of what was not proven for so long. Called by a worker of its own, now and then.</summary>
    public async Task AskDue(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (every is { } period && !stopping.IsCancellationRequested && (now - _started).Duration() >= FirstAfter)
            await db.Transaction((tx, token) => tx.AskDueProofs(Named(), Schedule, now, period, token), ct, repeatable: true);
    }

    /// <summary>Runs what is asked for, one after the other.</summary>
    public async Task Run(CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping, ct);
        while (!ending.IsCancellationRequested
            && await db.Transaction((tx, token) => tx.TakeProof(_names, time.GetUtcNow(), Silence, token), ct) is { } taken)
            await Run(taken, ending.Token);
    }

    private async Task Run(Proof taken, CancellationToken ending)
    {
        Proven proven;
        try
        {
            proven = await Alive(taken.Id, subjects.First(subject => subject.Name == taken.Subject).Prove, ending);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            await db.Transaction((tx, token) => tx.KeepProof(taken.Id, null, token), CancellationToken.None);
            return;
        }
        catch (Exception fault)
        {
            Failed(log, fault, taken.Subject);
            proven = new Proven(ProofResult.CannotTell, $"It cannot be told: {fault.Message}", 0, []);
        }

        if (proven.Result == ProofResult.Wrong)
            Wrong(log, taken.Subject, proven.Wrong, proven.Findings.Count > 0 ? proven.Findings[0] : "");
        proven = proven with { Findings = [.. proven.Findings.Take(FindingsMax)] };
        var now = time.GetUtcNow();
        await db.Transaction((tx, token) => tx.FinishProof(taken, proven, now, now - KeptFor, token), CancellationToken.None, repeatable: true);
    }

    private async Task<Proven> Alive(Guid id, Func<CancellationToken, Task<Proven>> prove, CancellationToken ending)
    {
        var proof = prove(ending);
        while (await Task.WhenAny(proof, Task.Delay(Beat, time, ending)) != proof && !ending.IsCancellationRequested)
            await db.Transaction((tx, token) => tx.KeepProof(id, time.GetUtcNow(), token), CancellationToken.None, repeatable: true);
        return await proof;
    }

    private (Guid, string)[] Named() => [.. _names.Select(name => (ids.New(), name))];

    [LoggerMessage(80, LogLevel.Critical, "The proof of {Subject} found {Wrong} that is wrong; the first: {Finding}")]
    private static partial void Wrong(ILogger log, string subject, long wrong, string finding);

    [LoggerMessage(81, LogLevel.Error, "The proof of {Subject} could not be ended")]
    private static partial void Failed(ILogger log, Exception fault, string subject);
}
