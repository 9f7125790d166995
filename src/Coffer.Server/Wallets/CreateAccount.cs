using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Wallets;

/// <summary>Makes an account with its default wallet, both or neither. Called by the command line and the demo.</summary>
internal static class CreateAccount
{
    /// <summary>Longest name, in characters.</summary>
    public const int NameMax = 100;

    /// <param name="shards">How many shards the database has.</param>
    /// <param name="shard">The account's shard for ever; null spreads accounts evenly.</param>
    /// <exception cref="Refused">With <see cref="RefusalCode.InvalidRequest"/> for a name or a shard that cannot be.</exception>
    public static Task<(Account Account, Wallet Wallet)> Run(Db db, Ids ids, TimeProvider time, int shards, string name, Mode mode, short? shard,
        CancellationToken ct)
    {
        if (name.Length is 0 or > NameMax || string.IsNullOrWhiteSpace(name) || name.Any(char.IsControl))
            throw new Refused(Refusal.Parameter("name", $"Give 1 to {NameMax} printable characters."));
        if (shard < 0 || shard >= shards)
            throw new Refused(Refusal.Parameter("shard", $"Give a number from 0 to {shards - 1}."));
        var now = time.GetUtcNow();
        var id = new AccountId(ids.New());
        var account = new Account(id, shard ?? Spread(id, shards), mode, name, now);
        var wallet = new Wallet(new WalletId(ids.New()), Wallet.DefaultName, IsDefault: true, now, now);
        return db.Transaction(async (tx, token) =>
        {
            await tx.Insert(account, token);
            await tx.InsertWallet(id, account.Shard, wallet, token);
            return (account, wallet);
        }, ct);
    }

    /// <summary>By the last bits of the id, which are random; its first ones are the time.</summary>
    private static short Spread(AccountId id, int shards)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.Value.TryWriteBytes(bytes, bigEndian: true, out _);
        return (short)(System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]) % (uint)shards);
    }
}
