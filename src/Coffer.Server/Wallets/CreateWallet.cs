using Coffer.Server.Host;
using Coffer.Server.Sql;

namespace Coffer.Server.Wallets;

/// <summary>Gives an account another wallet. Called by the API and the command line; the account has its default wallet already.</summary>
internal static class CreateWallet
{
    public static Task<Wallet> Run(Db db, Ids ids, TimeProvider time, AccountId account, short shard, string name, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var wallet = new Wallet(new WalletId(ids.New()), name, IsDefault: false, now, now);
        return db.Transaction(async (tx, token) =>
        {
            await tx.LockDefaultWallet(account, shard, token);
            if (await tx.CountOtherWallets(account, shard, wallet.Id, token) >= Wallet.CountMax)
                throw new Refused(new(RefusalCode.LimitExceeded, $"An account has at most {Wallet.CountMax} wallets. Use one that is there."));
            await tx.InsertWallet(account, shard, wallet, token);
            return wallet;
        }, ct, repeatable: true);
    }
}
