using System.Security.Cryptography;
using System.Threading.Channels;
using Coffer.Ledger;
using Coffer.Server.Sql;

namespace Coffer.Server.Ledger;

/// <summary>What <see cref="Verify"/> found.</summary>
/// <param name="Clean">Whether every proof held.</param>
/// <param name="Postings">Rows read.</param>
/// <param name="Balances">Rows read.</param>
/// <param name="FlowHours">Rows read.</param>
/// <param name="Movements">Rows read.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="BadRows">Rows that are wrong.</param>
/// <param name="Findings">The first of them, up to <see cref="Verify.FindingsMax"/>.</param>
internal sealed record VerifyReport(bool Clean, long Postings, long Balances, long FlowHours, long Movements, long Milliseconds,
    long BadRows, IReadOnlyList<Finding> Findings);

/// <summary>
/// Proves the whole ledger on one snapshot while it goes on being written: every posting balanced, versioned without a gap, carried
/// on and hashed; every balance, total and flow the sum of its postings; every movement as its postings say; every reference its digest;
/// every withdrawal as its movement says, every alert as its balances do.
///
/// Called by <c>coffer verify</c> and by tests. Reads only; dies without a trace. Memory is that of one balance's hours, whatever the
/// number of rows: postings, balances and hours come in the same order over three connections that share the snapshot and are merged.
/// </summary>
internal sealed class Verify
{
    /// <summary>How many bad rows are named; the rest is counted.</summary>
    public const int FindingsMax = 100;

    private const int ChunkRows = 256, ChunksAhead = 16;

    private readonly List<Finding> _findings = [];
    private readonly BalanceProof _proof;
    private readonly MovementSum _sum;
    private long _bad, _postings, _balances, _hours, _movements;

    private Verify()
    {
        _proof = new BalanceProof(Report);
        _sum = new MovementSum(RandomNumberGenerator.GetBytes(MovementSum.KeyBytes));
    }

    /// <summary>Reads everything once and says what is wrong.</summary>
    public static async Task<VerifyReport> Run(Db db, TimeProvider time, CancellationToken ct)
    {
        var start = time.GetTimestamp();
        var run = new Verify();
        await db.Snapshot(async (first, _) =>
        {
            var name = await first.ShareSnapshot(ct);
            Task<bool> Beside(Func<Tx, Task> work) => db.Snapshot(async (tx, _) =>
            {
                await tx.SeeSnapshot(name, ct);
                await work(tx);
                return true;
            }, ct);
            await Beside(second => Beside(third => run.Balances(first, second, third, ct)));
            await run.Movements(first, ct);
            if (!run._sum.IsBalanced)
                await Beside(second => run.MovementsOneByOne(first, second, ct));
            return true;
        }, ct);
        return new VerifyReport(run._bad == 0, run._postings, run._balances, run._hours, run._movements,
            (long)time.GetElapsedTime(start).TotalMilliseconds, run._bad, run._findings);
    }

    /// <summary>Merges the three streams place by place; a place that is missing in one of them is found by the others.</summary>
    private async Task Balances(Tx first, Tx second, Tx third, CancellationToken ct)
    {
        await using var postings = Ahead(first.Postings(ct), ct).GetAsyncEnumerator(ct);
        await using var balances = second.Balances(ct).GetAsyncEnumerator(ct);
        await using var hours = third.Hours(ct).GetAsyncEnumerator(ct);
        var (morePostings, moreBalances, moreHours) =
            (await postings.MoveNextAsync(), await balances.MoveNextAsync(), await hours.MoveNextAsync());
        while (morePostings || moreBalances || moreHours)
        {
            var place = Least(morePostings ? postings.Current.Place : null, moreBalances ? balances.Current.Place : null,
                moreHours ? hours.Current.Place : null);
            var name = place.ToString();
            _proof.Begin(name);
            for (; morePostings && postings.Current.Place == place; morePostings = await postings.MoveNextAsync())
                Posting(postings.Current);
            for (; moreHours && hours.Current.Place == place; moreHours = await hours.MoveNextAsync())
                Hour(hours.Current);
            Balance? stored = null;
            for (; moreBalances && balances.Current.Place == place; moreBalances = await balances.MoveNextAsync())
                stored = Balance(balances.Current) ?? stored;
            _proof.End(stored);
        }
    }

    private void Posting(PostingRow row)
    {
        _postings++;
        if (row.Posting is not { } posting)
        {
            Report(new Finding("posting", $"{row.Place} version {row.Version}", "an amount is not an integer of at most 38 digits"));
            return;
        }

        _proof.Add(posting);
        _sum.Add(row.Place.Shard, posting);
    }

    private void Hour(HourRow row)
    {
        _hours++;
        if (row.Flow is not { } flow || (_proof.Account is { } account && account != row.Account))
            Report(new Finding("flow_hour", $"{row.Place} hour {row.Hour:yyyy-MM-ddTHH}Z",
                row.Flow is null ? "an amount is not an integer of at most 38 digits" : $"no posting of account {row.Account} made it"));
        else
            _proof.Flow(row.Hour, flow);
    }

    private Balance? Balance(BalanceRow row)
    {
        _balances++;
        if (row.Balance is null)
            Report(new Finding("balance", row.Place.ToString(), "an amount is not an integer of at most 38 digits"));
        else if (_proof.Account != row.Account)
            Report(new Finding("balance", row.Place.ToString(), $"account {row.Account} has no postings on it"));
        else
            return row.Balance;
        return null;
    }

    private async Task Movements(Tx tx, CancellationToken ct)
    {
        await foreach (var row in tx.Movements(ct))
        {
            _movements++;
            if (row.Movement is not { } movement)
                Report(new Finding("movement", row.Key, "an amount is not an integer of at most 38 digits, or its reference is none"));
            else if (movement.Reference.DigestIn(movement.Account) != row.Reference)
                Report(new Finding("movement", row.Key, $"its reference is not the digest of its account and {row.ReferenceText}"));
            if (row.Movement is not null)
                _sum.Subtract(row.Shard, row.Movement);
        }

        await foreach (var row in tx.ReversedUnlikeTheirPostings(ct))
            Report(new Finding("movement", row.Key, "it is reversed, but no posting took back this amount, fee and time"));
        await foreach (var key in tx.ChangesOfNothing(ct))
            Report(new Finding("movement_change", key, "there is no movement that could have become this"));
        await foreach (var key in tx.WithdrawalsUnlikeTheirMovements(ct))
            Report(new Finding("withdrawal", key, "its wallet, currency, amount, fees, receiver or state are not those of its movement"));
        await foreach (var key in tx.AlertsUnlikeTheirBalances(ct))
            Report(new Finding("alert", key, "its state, or the sum of the account's wallets that it carries, is not what the balances say"));
    }

    /// <summary>The slow way, only when the sum said that something does not fit: sorts both tables and names the movements.</summary>
    private async Task MovementsOneByOne(Tx first, Tx second, CancellationToken ct)
    {
        await using var postings = first.PostingsByMovement(ct).GetAsyncEnumerator(ct);
        var more = await postings.MoveNextAsync();
        (short, Guid) Next() => (postings.Current.Place.Shard, postings.Current.Posting?.Movement.Value ?? default);
        var effects = new Dictionary<(BalanceKey, MovementKind), MovementEffect>();
        async Task Gather((short, Guid) key)
        {
            effects.Clear();
            for (; more && Next() == key; more = await postings.MoveNextAsync())
            {
                if (postings.Current.Posting is not { } posting)
                    continue;
                var side = (posting.Key, MovementEffect.KindOf(posting.Kind));
                effects[side] = effects.GetValueOrDefault(side) + MovementEffect.Of(posting);
            }
        }

        async Task Orphans(Func<(short, Guid), bool> before)
        {
            while (more && before(Next()))
            {
                var (shard, id) = Next();
                var place = postings.Current;
                await Gather((shard, id));
                Report(new Finding("posting", $"{place.Place} version {place.Version}", $"there is no movement {id}"));
            }
        }

        await foreach (var row in second.MovementsInOrder(ct))
        {
            var key = (row.Shard, row.Id.Value);
            await Orphans(next => next.CompareTo(key) < 0);
            await Gather(key);
            if (row.Movement is not { } movement || Fits(movement, effects))
                continue;
            var made = $"a {movement.Kind} of {movement.Amount} with fee {movement.Fee} in state {movement.State}";
            Report(new Finding("movement", row.Key, effects.Count == 0 ? "it has no postings" : $"its postings do not make {made}"));
        }

        await Orphans(_ => true);
    }

    private static bool Fits(Movement movement, Dictionary<(BalanceKey, MovementKind), MovementEffect> effects)
    {
        var own = new BalanceKey(movement.Account, movement.Currency, movement.Wallet);
        if (!effects.TryGetValue((own, movement.Kind), out var sent) || sent != MovementEffect.Of(movement))
            return false;
        if (movement.ToWallet is not { } to)
            return effects.Count == 1;
        return effects.Count == 2 && effects.TryGetValue((own with { Wallet = to }, movement.Kind), out var received)
            && received == MovementEffect.Received(movement);
    }

    private void Report(Finding finding)
    {
        _bad++;
        if (_findings.Count < FindingsMax)
            _findings.Add(finding);
    }

    private static Place Least(params ReadOnlySpan<Place?> places)
    {
        Place? least = null;
        foreach (var place in places)
        {
            if (place is not null && (least is null || place.Value.CompareTo(least.Value) < 0))
                least = place;
        }

        return least!.Value;
    }

    /// <summary>Reads ahead on another thread, so that decoding rows and hashing them share the machine's cores.</summary>
    private static async IAsyncEnumerable<T> Ahead<T>(IAsyncEnumerable<T> rows,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var chunks = Channel.CreateBounded<List<T>>(ChunksAhead);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var reading = Task.Run(async () =>
        {
            try
            {
                var chunk = new List<T>(ChunkRows);
                await foreach (var row in rows.WithCancellation(stop.Token))
                {
                    chunk.Add(row);
                    if (chunk.Count < ChunkRows)
                        continue;
                    await chunks.Writer.WriteAsync(chunk, stop.Token);
                    chunk = new List<T>(ChunkRows);
                }

                await chunks.Writer.WriteAsync(chunk, stop.Token);
                chunks.Writer.Complete();
            }
            catch (Exception fault)
            {
                chunks.Writer.Complete(fault);
            }
        }, CancellationToken.None);
        try
        {
            await foreach (var chunk in chunks.Reader.ReadAllAsync(ct))
            {
                foreach (var row in chunk)
                    yield return row;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await reading;
        }
    }
}
