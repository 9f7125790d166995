using System.Numerics;
using Coffer.Chains;
using Coffer.Ledger;
using Coffer.Server.Sql;

namespace Coffer.Server.Chain;

/// <summary>
/// Holds three accounts of the same money against each other: what our addresses hold on the chain after one named block, what the books of
/// the chain (chain_deposit) say was paid to them, and what the ledger says of each of these deposits.
///
/// Called by <c>coffer reconcile</c>, beside running servers or without one. Reads only; dies without a trace. No node is asked inside a
/// transaction; the named block is looked at once more at the end, so what a reorg mixed up is not told as a difference.
///
/// The chain is asked for its state alone, so it finds what the follower missed. What it finds and cannot explain: coins that left an
/// address (the operator's collecting) are a difference too, since only their owner knows that it was he.
/// </summary>
/// <param name="db">The database.</param>
/// <param name="time">Measures the pause.</param>
/// <param name="pause">How long it waits for the follower before it tries again.</param>
internal sealed class Reconcile(Db db, TimeProvider time, TimeSpan pause)
{
    /// <summary>
    /// How often it tries where the follower is; some nodes know their state after their last block only, so both must be at the same one.
    /// </summary>
    public const int AttemptsMax = 5;

    /// <summary>How many differences are named; the rest is counted.</summary>
    public const int NamedMax = 100;

    /// <summary>How many deposits are named for an address that differs.</summary>
    public const int DepositsMax = 20;

    /// <summary>Addresses that a node is asked for at once.</summary>
    public const int AddressesMax = 50_000;

    /// <summary>Reconciles one chain, after the block at a height or where the follower is.</summary>
    public async Task<ReconciledChain> Run(FollowedChain followed, long? height, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var result = await Once(followed, height, ct);
            if (result.Why is null || result.Height is null || height is not null || attempt == AttemptsMax)
                return result;
            await Task.Delay(pause, time, ct);
        }
    }

    private async Task<ReconciledChain> Once(FollowedChain followed, long? height, CancellationToken ct)
    {
        var chain = followed.Chain.Id;
        if (await db.Cursor(chain, ct) is not { } cursor)
            return new ReconciledChain(chain, null, null, "it was never followed: let the server run with it first", [], 0, []);
        var (differences, named) = await Ledger(chain, ct);
        var at = height ?? cursor.Height;
        var hash = await db.FollowedHash(chain, at, ct);
        var result = new ReconciledChain(chain, at, hash, null, [], differences, named);
        if (hash is null)
            return result with { Why = $"block {at} was not followed: give the height of one that was, up to {cursor.Height}" };
        try
        {
            var currencies = await Currencies(followed, at, hash, ct);
            return await db.FollowedHash(chain, at, ct) == hash
                ? result with { Currencies = currencies }
                : result with { Why = $"block {at} was replaced meanwhile: try again, or give the height of a deeper one" };
        }
        catch (ChainFault fault)
        {
            return result with { Why = fault.Message.TrimEnd('.') };
        }
    }

    private async Task<List<ReconciledCurrency>> Currencies(FollowedChain followed, long height, string hash, CancellationToken ct)
    {
        var sums = followed.Assets.Select(asset => new ReconciledCurrency(asset.Currency, 0, 0, 0, 0, 0, [])).ToList();
        var after = "";
        while (await db.AddressesAfter(followed.Family, after, AddressesMax, ct) is { Count: > 0 } addresses)
        {
            after = addresses[^1].Address;
            var booked = (await db.Booked(followed.Chain.Id, height, addresses, ct)).ToDictionary(sum => (sum.Address, sum.Currency));
            string[] texts = [.. addresses.Select(address => address.Address)];
            for (var i = 0; i < sums.Count; i++)
            {
                var held = await followed.Chain.Holdings(height, hash, followed.Assets[i].Asset, texts, ct);
                sums[i] = await Add(sums[i], followed.Chain.Id, height, addresses, held, booked, ct);
            }
        }

        return sums;
    }

    private async Task<ReconciledCurrency> Add(ReconciledCurrency sum, string chain, long height, List<WatchedAddress> addresses,
        IReadOnlyList<BigInteger> held, Dictionary<(string, string), BookedSum> booked, CancellationToken ct)
    {
        if (held.Count != addresses.Count)
            throw new ChainFault($"{chain} answers {held.Count} holdings for {addresses.Count} addresses.", retryable: true);
        var code = sum.Currency.Code;
        var different = sum.Different.ToList();
        for (var i = 0; i < held.Count; i++)
        {
            var address = addresses[i];
            var paid = booked.GetValueOrDefault((address.Address, code)) ?? new BookedSum(address.Address, code, 0, 0);
            sum = sum with
            {
                Addresses = sum.Addresses + 1,
                OnChain = sum.OnChain + held[i],
                Credited = sum.Credited + paid.Credited,
                Kept = sum.Kept + paid.Kept,
            };
            if (held[i] == paid.Credited + paid.Kept)
                continue;
            sum = sum with { Differences = sum.Differences + 1 };
            if (different.Count < NamedMax)
                different.Add(new AddressDifference(address, held[i], paid.Credited, paid.Kept,
                    await db.BookedAt(chain, height, address.Address, code, DepositsMax, ct)));
        }

        return sum with { Different = different };
    }

    private async Task<(long Count, List<LedgerDifference> Named)> Ledger(string chain, CancellationToken ct)
    {
        var (count, named) = (0L, new List<LedgerDifference>());
        await db.Snapshot(async (tx, _) =>
        {
            await foreach (var deposit in tx.BookedTwice(chain, ct))
            {
                if (WhyNot(deposit) is not { } problem)
                    continue;
                count++;
                if (named.Count < NamedMax)
                    named.Add(new LedgerDifference(deposit.Reference, deposit.Chain?.Address, problem));
            }

            return true;
        }, ct);
        return (count, named);
    }

    /// <summary>What is wrong with a deposit, the gravest first; null when both books tell the same.</summary>
    private static string? WhyNot(BookedTwice deposit)
    {
        var (booked, ledger) = (deposit.Chain, deposit.Ledger);
        var counts = ledger is { State: MovementState.Seen or MovementState.Confirmed };
        if (ledger is { Times: > 1 })
            return $"the ledger has it {ledger.Times} times";
        if (booked is null)
            return counts ? $"the ledger counts {ledger!.Amount} {ledger.Currency} that the books of the chain do not have" : null;
        // The follower is between two steps; whatever the ledger says of it now, it will be told.
        if (!booked.Posted)
            return null;
        if (booked.State == ObservationState.Orphaned || booked.Reason is not null)
            return !counts ? null
                : booked.Reason is { } reason ? $"the ledger counts it although it is kept for {reason}"
                : "the ledger counts it although its block does not count any more";
        if (ledger is null)
            return "the ledger does not have it";
        if (!counts)
            return "the ledger took it back although its block counts";
        if (ledger.Account != booked.Account || ledger.Wallet != booked.Wallet)
            return $"the ledger gave it to wallet {ledger.Wallet}, not {booked.Wallet}";
        if (ledger.Currency != booked.Currency || ledger.Amount != booked.Amount)
            return $"the ledger has {ledger.Amount} {ledger.Currency}, not {booked.Amount} {booked.Currency}";
        if (booked.State == ObservationState.Confirmed && ledger.State != MovementState.Confirmed)
            return "the ledger has not made it available although it is confirmed";
        return ledger.Sighting == booked.Sighting ? null : $"the ledger knows sighting {ledger.Sighting}, not {booked.Sighting}";
    }
}
