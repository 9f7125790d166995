using System.Numerics;
using Coffer.Chains;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Payouts;
using Coffer.Server.Sql;

namespace Coffer.Server.Payouts;

/// <summary>The hot wallet of one chain, and what is asked about it.</summary>
/// <param name="Paying">The chain, and how it is paid on.</param>
/// <param name="Entry">What the operator's file says of the chain and its hot wallet.</param>
/// <param name="Address">The address to fund it.</param>
/// <param name="Addresses">Bitcoin: all its addresses; null elsewhere.</param>
internal sealed record HotWallet(PayingChain Paying, ChainEntry Entry, string Address, HotAddresses? Addresses)
{
    public IChain Chain => Paying.Chain;

    public IPayouts Payouts => Paying.Payouts;
}

/// <summary>
/// Says how a hot wallet stands: what it holds against what it owes, the fees of paying that, and what should be left. Called by
/// <c>coffer hot status</c> and by the worker that raises the alarm before a withdrawal has to wait. Reads only.
/// </summary>
internal sealed class HotStatus(Db db)
{
    public async Task<HotStanding> Run(HotWallet wallet, CancellationToken ct)
    {
        var chain = wallet.Chain.Id;
        var open = (await db.OpenSums(chain, ct)).ToDictionary(sum => sum.Currency);
        var (waiting, oldestWaiting) = await db.Waiting(chain, ct);
        var payouts = await db.PayoutSums(chain, ct);
        var returning = await Returning(wallet, ct);
        var (assets, whyNot) = (Named(wallet), (string?)null);
        var (held, fees) = (new BigInteger?[assets.Count], BigInteger.Zero);
        try
        {
            var holdings = await wallet.Payouts.Holdings([.. assets.Select(asset => asset.Asset)], ct);
            held = [.. holdings.Select(holding => (BigInteger?)(BigInteger)holding.Amount)];
            foreach (var (code, asset, _) in assets)
                if (open.GetValueOrDefault(code) is { } sum)
                    fees += (sum.QueuedCount + sum.LeavingCount) * (BigInteger)await wallet.Chain.FeeEstimate(asset, ct);
        }
        catch (ChainFault fault)
        {
            whyNot = fault.Message;
        }

        // Coins that are planned away are not held any more; other chains count an amount until it is mined.
        var coins = wallet.Paying.UsesCoins;
        List<HotAsset> standings =
        [
            .. assets.Select((asset, i) =>
            {
                var (code, contract, decimals) = asset;
                var (isCoin, sum) = (contract is null, open.GetValueOrDefault(code) ?? new OpenSum(code, 0, 0, 0, 0));
                return new HotAsset(code, decimals, isCoin, held[i], isCoin ? returning : 0, sum.Queued, sum.QueuedCount,
                    coins ? 0 : sum.Leaving, sum.LeavingCount, isCoin ? fees : 0, Low(wallet, code, decimals));
            }),
        ];
        return new HotStanding(chain, wallet.Address, standings, payouts.NextNumber, payouts.Open, payouts.OldestOpen, oldestWaiting,
            waiting, payouts.ForeignUse, whyNot);
    }

    /// <summary>The coin first, also where it is no currency of this server: fees are paid in it.</summary>
    private static List<(string Code, string? Asset, int Decimals)> Named(HotWallet wallet)
    {
        var all = wallet.Paying.Assets.Values;
        var coin = all.Where(asset => asset.Asset is null).Select(asset => asset.Currency).FirstOrDefault();
        return
        [
            (coin?.Code ?? wallet.Entry.Network, null, coin?.Decimals ?? wallet.Entry.CoinDecimals),
            .. all.Where(asset => asset.Asset is not null).Select(asset => (asset.Currency.Code, asset.Asset, asset.Currency.Decimals)),
        ];
    }

    private static BigInteger Low(HotWallet wallet, string code, int decimals) =>
        wallet.Entry.Hot!.Low.TryGetValue(code, out var text) && Amount.TryParse(text, decimals, out var low, out _) ? low : 0;

    private async Task<BigInteger> Returning(HotWallet wallet, CancellationToken ct)
    {
        if (!wallet.Paying.UsesCoins)
            return 0;
        var plans = await db.UnminedPlans(wallet.Chain.Id, ct);
        return plans.Aggregate(BigInteger.Zero, (sum, plan) =>
            sum + wallet.Payouts.Read(plan).Change.Aggregate(BigInteger.Zero, (part, coin) => part + (BigInteger)coin.Amount));
    }
}
