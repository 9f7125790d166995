using Coffer.Server.Addresses;
using Coffer.Server.Sql;

namespace Coffer.Server.Payments;

/// <summary>Payments with what came to their addresses, and where they stand now.</summary>
internal sealed class ViewPayments(Db db, IssueAddress issue, TimeProvider time)
{
    /// <summary>Payments that one page looks at; a filter that hardly matches may answer fewer than asked for and still say where to go on.</summary>
    public const int ScanMax = 2_000;

    private const int ChunkMax = 200;

    public async Task<PaymentView> Of(AccountId account, Payment payment, CancellationToken ct) => (await Of(account, [payment], ct))[0];

    public async Task<List<PaymentView>> Of(AccountId account, IReadOnlyList<Payment> payments, CancellationToken ct)
    {
        var addresses = (await db.FindAddresses([.. payments.Select(payment => payment.AddressId)], ct)).ToDictionary(address => address.Id);
        var receipts = (await db.Receipts(account, [.. addresses.Values.Select(address => address.Address)], ct)).ToLookup(one => one.Address);
        var now = time.GetUtcNow();
        return [.. payments.Select(payment =>
        {
            var address = addresses[payment.AddressId];
            List<PaymentReceipt> own = [.. receipts[address.Address]];
            // What the ledger has no room for is not credited, so the amount of the rest fits.
            var counted = own.Where(one => one.Currency == payment.Currency && one.Amount <= (System.Numerics.BigInteger)Amount.Max)
                .Select(one => new PaymentDeposit((Int128)one.Amount, one.State, one.ArrivedAt));
            return new PaymentView(payment, issue.Shown(address), PaymentStanding.Of(payment.Amount, payment.ExpiresAt, counted, now), own);
        })];
    }

    /// <summary>One page, newest first, and the id to go on after; null when there is nothing more.</summary>
    public async Task<(List<PaymentView> Page, Guid? Next)> List(
        AccountId account, short shard, PaymentFilter filter, PaymentStatus? status, int limit, CancellationToken ct)
    {
        var page = new List<PaymentView>();
        for (var scanned = 0; scanned < ScanMax;)
        {
            var chunk = await db.Payments(account, shard, filter, ChunkMax, ct);
            foreach (var view in await Of(account, chunk, ct))
            {
                if (page.Count == limit)
                    return (page, page[^1].Payment.Id);
                if (status is null || view.Standing.Status == status)
                    page.Add(view);
            }

            if (chunk.Count < ChunkMax)
                return (page, null);
            scanned += chunk.Count;
            filter = filter with { Before = chunk[^1].Id };
        }

        return (page, filter.Before);
    }
}
