namespace Coffer.Server.Addresses;

/// <summary>One row of <c>chain_address</c>: an address that was given out, and what it was derived from. Watched for ever.</summary>
/// <param name="Id">Its name on the wire.</param>
/// <param name="Shard">The account's.</param>
/// <param name="Account">Whose deposits it takes.</param>
/// <param name="Wallet">Where they go.</param>
/// <param name="Family">The chains on which its key is one address.</param>
/// <param name="Network">What it was offered for; a transfer of a currency of another network is kept, not credited.</param>
/// <param name="Source">The fingerprint of the key that it comes from; on a simulated chain wallet and network.</param>
/// <param name="Index">Its number in the source, from 0; never given out twice.</param>
/// <param name="Address">In the family's one spelling.</param>
/// <param name="CreatedAt">When it was given out.</param>
internal sealed record IssuedAddress(Guid Id, short Shard, AccountId Account, WalletId Wallet, string Family, string Network, string Source,
    long Index, string Address, DateTimeOffset CreatedAt)
{
    /// <summary>The first address of a test account's wallet on a network.</summary>
    public static IssuedAddress FirstSimulated(Guid id, short shard, AccountId account, WalletId wallet, string network, DateTimeOffset now)
    {
        var source = AddressSources.Simulated(account, wallet, network);
        return new IssuedAddress(id, shard, account, wallet, source.Family, network, source.Fingerprint, 0, source.At(0), now);
    }
}
