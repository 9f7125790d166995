namespace Coffer.Chains.Rpc;

/// <summary>What a node says of itself.</summary>
/// <param name="Chain">Which chain it is on: a chain id or a genesis hash, in one spelling.</param>
/// <param name="Height">Its highest block.</param>
public readonly record struct RpcIdentity(string Chain, long Height);

/// <summary>Asks a node which chain it is on and how far it is.</summary>
public delegate Task<RpcIdentity> RpcIdentify(RpcNode node, CancellationToken ct);

/// <summary>
/// The nodes of one chain. <see cref="Use"/> runs a piece of work on one of them, the same one from its first call to its last, and on the
/// next one when that failed; a node is asked which chain it is on before its first use, after each failure and now and then, and is never
/// used while it says another one. Keeps nothing that must survive the process. Safe for concurrent callers.
/// </summary>
/// <param name="chain">The chain's name, for messages.</param>
/// <param name="nodes">At least one; the earlier is preferred.</param>
/// <param name="identity">The chain that they have to be on.</param>
/// <param name="identify">Asks a node for that.</param>
/// <param name="time">Measures rests and the age of checks.</param>
public sealed class RpcNodes(string chain, IReadOnlyList<RpcNode> nodes, string identity, RpcIdentify identify, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly SemaphoreSlim checking = new(1, 1);
    private readonly Health[] all = [.. nodes.Select(node => new Health(node))];

    /// <summary>Per node its name and what is wrong with it, null for nothing known.</summary>
    public IReadOnlyList<(string Node, string? Fault)> States
    {
        get
        {
            lock (gate)
                return [.. all.Select(health => (health.Node.Name, health.Fault))];
        }
    }

    /// <summary>
    /// Runs work on the healthiest node, and on the next when it throws <see cref="RpcFault"/>, <see cref="RpcError"/> or a retryable
    /// <see cref="ChainFault"/>, so work must be safe to do again. Any other exception is the caller's. When no node could do it: a
    /// retryable <see cref="ChainFault"/> that says why, node by node.
    /// </summary>
    public async Task<T> Use<T>(Func<RpcNode, CancellationToken, Task<T>> work, CancellationToken ct)
    {
        await CheckDue(ct);
        List<string> faults = [];
        Exception? last = null;
        foreach (var health in Order())
        {
            if (health.WhyNot(time.GetUtcNow()) is { } reason)
            {
                faults.Add(reason);
                continue;
            }
            try
            {
                var result = await work(health.Node, ct);
                lock (gate)
                    health.Succeeded();
                return result;
            }
            catch (RpcError refused)
            {
                // It works and cannot do this: another node may know more (an archive), but it need not rest.
                faults.Add(Named(health, refused));
                last = refused;
            }
            catch (Exception failed) when (failed is RpcFault or ChainFault { Retryable: true })
            {
                lock (gate)
                    health.Failed(failed, time.GetUtcNow());
                faults.Add(Named(health, failed));
                last = failed;
            }
        }
        throw new ChainFault($"{chain}: no node could do it. {string.Join(' ', faults)}", retryable: true, last);
    }

    private static string Named(Health health, Exception fault) =>
        fault.Message.StartsWith(health.Node.Name, StringComparison.Ordinal) ? fault.Message : $"{health.Node.Name}: {fault.Message}";

    // Resting ones last, then those that lag, then as configured. A node that rests is still better than none.
    private Health[] Order()
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            var best = all.Max(health => health.Height);
            return [.. all.OrderBy(health => health.RestsUntil > now ? health.RestsUntil : default)
                .ThenBy(health => best - health.Height > RpcLimits.LagBlocksMax)
                .ThenBy(health => health.Failures)];
        }
    }

    private async Task CheckDue(CancellationToken ct)
    {
        await checking.WaitAsync(ct);
        try
        {
            Health[] due;
            lock (gate)
            {
                var now = time.GetUtcNow();
                due = [.. all.Where(health => health.CheckDue(now) && health.RestsUntil <= now)];

                // All of them rest: those that are not busy are asked all the same, or one hiccup would stop the chain for a while.
                if (due.Length == 0 && all.All(health => health.RestsUntil > now))
                    due = [.. all.Where(health => health.CheckDue(now) && !health.Busy)];
            }
            await Task.WhenAll(due.Select(health => Check(health, ct)));
        }
        finally
        {
            checking.Release();
        }
    }

    private async Task Check(Health health, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(RpcLimits.CheckTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            var found = await identify(health.Node, either.Token);
            lock (gate)
                health.Checked(found, identity, time.GetUtcNow());
        }
        catch (Exception failed) when (failed is RpcFault or RpcError or ChainFault)
        {
            lock (gate)
                health.Failed(failed, time.GetUtcNow());
        }
        catch (OperationCanceledException late) when (!ct.IsCancellationRequested)
        {
            lock (gate)
            {
                var silent = new RpcFault($"{health.Node.Name} does not say in time which chain it is on.", cause: late);
                health.Failed(silent, time.GetUtcNow());
            }
        }
    }

    /// <summary>What is known of one node; guarded by the gate.</summary>
    private sealed class Health(RpcNode node)
    {
        private DateTimeOffset? checkedAt;

        public RpcNode Node { get; } = node;

        public long Height { get; private set; }

        public int Failures { get; private set; }

        public DateTimeOffset RestsUntil { get; private set; }

        public bool Busy { get; private set; }

        public string? Fault { get; private set; }

        public bool CheckDue(DateTimeOffset now) => checkedAt is null || now - checkedAt >= RpcLimits.CheckEvery;

        /// <summary>Why the node may not be asked now; null when it may.</summary>
        public string? WhyNot(DateTimeOffset now) => checkedAt is null || (Busy && RestsUntil > now)
            ? Fault ?? $"{Node.Name} has not said which chain it is on." : null;

        public void Succeeded() => (Failures, RestsUntil, Busy, Fault) = (0, default, false, null);

        public void Checked(RpcIdentity found, string expected, DateTimeOffset now)
        {
            Height = found.Height;
            if (found.Chain == expected)
            {
                (checkedAt, Fault) = (now, null);
                return;
            }
            Failed(new RpcFault($"{Node.Name} is on the chain {found.Chain}, not {expected}, and is not used."), now);
            Height = 0;
        }

        public void Failed(Exception failed, DateTimeOffset now)
        {
            checkedAt = null;
            Fault = Named(this, failed);
            Busy = failed is RpcFault { BusyFor: not null };
            Failures = Math.Min(Failures + 1, 16);
            var rest = failed is RpcFault { BusyFor: { } wait } ? wait : RpcLimits.RestMin * (1 << (Failures - 1));
            RestsUntil = now + (rest < RpcLimits.RestMax ? rest : RpcLimits.RestMax);
        }
    }
}
