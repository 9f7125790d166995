using Coffer.Server.Sql;

namespace Coffer.Server.Withdrawals;

/// <summary>
/// The operator's switches and limits. Called by the command line. Each change waits for the withdrawals that are being made just then;
/// when it has returned, everything that is made or planned later is decided by it. If the process dies here: it was said or it was not.
/// </summary>
internal sealed class AllowWithdrawals(Db db, TimeProvider time)
{
    /// <summary>Stops all withdrawals of all accounts, or lets them go on.</summary>
    public Task FreezeAll(bool on, string? reason, string by, CancellationToken ct) =>
        Change(null, (tx, token) => tx.SetGates(on, on ? reason : null, by, time.GetUtcNow(), token), ct);

    /// <summary>Stops all withdrawals of an account, or lets them go on.</summary>
    public Task Freeze(short shard, AccountId account, bool on, string? reason, string by, CancellationToken ct) =>
        Change(shard, (tx, token) => tx.SetFrozen(shard, account, on, on ? reason : null, by, time.GetUtcNow(), token), ct);

    /// <summary>Sets an account's own limits of a currency; those that are null are the currency file's again.</summary>
    public Task Limit(short shard, AccountId account, string currency, WithdrawalLimits limits, string by, CancellationToken ct) =>
        Change(shard, (tx, token) => tx.SetLimits(shard, account, new OwnLimits(currency, limits, by, time.GetUtcNow()), token), ct);

    /// <summary>Says whether an account pays only the addresses of its list, and how long those wait that are added from now on.</summary>
    public Task PayListOnly(short shard, AccountId account, bool on, int? waitHours, CancellationToken ct) =>
        Change(shard, (tx, token) => tx.SetAddressesOnly(shard, account, on, waitHours, token), ct);

    /// <summary>Puts an address on the list, to be paid once it has waited; null when it is there already.</summary>
    public async Task<ListedAddress?> AddAddress(
        short shard, AccountId account, string network, string address, string name, string by, CancellationToken ct)
    {
        ListedAddress? added = null;
        await Change(shard, async (tx, token) =>
        {
            var now = time.GetUtcNow();
            var wait = TimeSpan.FromHours(await tx.AddressWaitHours(shard, account, token));
            var listed = new ListedAddress(network, address, name, by, now, now + wait);
            added = await tx.AddAddress(shard, account, listed, token) ? listed : null;
        }, ct);
        return added;
    }

    /// <summary>Takes an address off the list; false when it is not there.</summary>
    public async Task<bool> RemoveAddress(short shard, AccountId account, string network, string address, CancellationToken ct)
    {
        var removed = false;
        await Change(shard, async (tx, token) => removed = await tx.RemoveAddress(shard, account, network, address, token), ct);
        return removed;
    }

    private Task Change(short? shard, Func<Tx, CancellationToken, Task> change, CancellationToken ct) => db.Transaction(async (tx, token) =>
    {
        await tx.HoldGates(shard, token);
        await change(tx, token);
    }, ct, repeatable: true);
}
