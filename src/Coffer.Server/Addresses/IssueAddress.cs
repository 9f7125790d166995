using Coffer.Chains.Keys;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Addresses;

/// <summary>
/// Gives out deposit addresses. Called by whatever shows an address to a payer: deposit addresses of wallets, payments, the sandbox.
///
/// Guarantees: an index of a key is given out once, whoever asks at the same time; an address is watched before anybody can know it, and for
/// ever; what is shown is what the key gives now, so a row that was changed in the database is never shown.
/// If the process dies here: the address is watched and nobody knows it, or neither; the next one has another index.
/// </summary>
internal sealed class IssueAddress(Db db, AddressSources sources, Ids ids, TimeProvider time)
{
    /// <summary>A new address of the currency's network for a wallet that is known to be the account's.</summary>
    /// <exception cref="Refused">With <see cref="RefusalCode.ServiceUnavailable"/> where this server follows no chain of that network.</exception>
    public async Task<IssuedAddress> Run(AccountId account, short shard, Mode mode, WalletId wallet, Currency currency, CancellationToken ct)
    {
        var source = sources.Find(account, mode, wallet, currency.Network) ?? throw new Refused(new(RefusalCode.ServiceUnavailable,
            $"This server gives out no addresses for {currency.Code}: the operator has configured no key for the network {currency.Network}."));
        var (id, now) = (ids.New(), time.GetUtcNow());
        while (true)
        {
            var issued = await db.Transaction(async (tx, token) =>
            {
                var index = await tx.NextIndex(source.Family, source.Fingerprint, source.At(0), token);
                if (index > ExtendedPublicKey.IndexMax)
                    throw new InvalidOperationException(
                        $"The key {source.Fingerprint} has no more addresses; give the network {currency.Network} another xpub.");
                if (At(source, (uint)index) is not { } address)
                    return null;
                var made = new IssuedAddress(id, shard, account, wallet, source.Family, currency.Network, source.Fingerprint, index, address, now);
                await tx.Insert(made, token);
                return made;
            }, ct);
            if (issued is not null)
                return Genuine(await db.FindAddress(id, ct) ?? throw new InvalidOperationException($"The address {id} is gone from the database."));
        }
    }

    /// <summary>The text of an address that may be shown; null when its key is in the chains file no more, so that nobody can tell.</summary>
    /// <exception cref="InvalidOperationException">The row is not what its key gives.</exception>
    public string? Shown(IssuedAddress issued) => sources.Find(issued) is null ? null : Genuine(issued).Address;

    /// <summary>
    /// The address itself, when its key gives it today. Anything else means that somebody changed the database or the key's fingerprint
    /// collides; it is not shown, and the operator finds this in the log.
    /// </summary>
    /// <exception cref="InvalidOperationException">The row is not what its key gives, or its key is in the chains file no more.</exception>
    public IssuedAddress Genuine(IssuedAddress issued)
    {
        var source = sources.Find(issued) ?? throw new InvalidOperationException(
            $"The address {issued.Id} comes from the key {issued.Source}, which is not in the chains file; it is watched but not shown.");
        return source.At((uint)issued.Index) == issued.Address ? issued : throw new InvalidOperationException(
            $"The address {issued.Id} in the database is not what the key {issued.Source} gives at index {issued.Index}: somebody has changed it. "
            + "It is not shown. Stop taking deposits and find out who.");
    }

    /// <summary>Once at start: the keys of the chains file are those that their fingerprints stood for before.</summary>
    /// <exception cref="SetupFailure">A key gives other addresses than the one with its fingerprint gave.</exception>
    public static async Task Check(Db db, AddressSources sources, CancellationToken ct)
    {
        foreach (var source in sources.Keys)
        {
            if (await db.FirstAddress(source.Family, source.Fingerprint, ct) is { } first && first != source.At(0))
                throw new SetupFailure($"The xpub {source.Fingerprint} gives {source.At(0)} as its first address, but this ledger has {first} "
                    + "for it: check the chains file, and whether this is the right database.");
        }
    }

    // One index in 2^127 has no key (BIP32); it is passed over.
    private static string? At(AddressSource source, uint index)
    {
        try
        {
            return source.At(index);
        }
        catch (KeyFault)
        {
            return null;
        }
    }
}
