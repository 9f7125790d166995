using Coffer.Chains.Payouts;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Payouts;

/// <summary>
/// What a hot wallet can still give in this round: what its node says it holds, less what open payouts are about to take. On chains with
/// coins the coins that no payout has say it themselves.
/// </summary>
internal sealed class HotFunds
{
    private readonly Dictionary<string, Int128> _free = [];

    /// <summary>The coins that no payout has; empty on chains that pay from a balance.</summary>
    public List<HotCoin> Coins { get; private init; } = [];

    /// <summary>Asks the node first and counts what is open then: what is mined in between is counted twice for a round, never not at all.</summary>
    public static async Task<HotFunds> Of(Db db, PayingChain chain, CancellationToken ct)
    {
        if (chain.UsesCoins)
            return new HotFunds { Coins = [.. await chain.Payouts.Unspent(await db.FreeHotCoins(chain.Id, ct), ct)] };
        string?[] assets = [.. chain.Assets.Values.Select(asset => asset.Asset).Append(null).Distinct()];
        var funds = new HotFunds();
        foreach (var holding in await chain.Payouts.Holdings(assets, ct))
            funds._free[holding.Asset ?? ""] = holding.Amount;
        foreach (var (currency, amount) in await db.OpenAmounts(chain.Id, ct))
        {
            if (chain.Assets.TryGetValue(currency, out var asset))
                funds.Take(asset.Asset, amount);
        }

        funds.Take(null, await db.OpenFees(chain.Id, ct));
        return funds;
    }

    /// <summary>What is lacking to pay these for this fee; null when nothing is.</summary>
    public NoPlan? Lacks(IReadOnlyList<PayoutOutput> outputs, Int128 fee)
    {
        if (_free.Count == 0)
            return null;
        foreach (var asset in outputs.GroupBy(output => output.Asset ?? ""))
        {
            if (asset.Aggregate((Int128)0, (sum, output) => sum + output.Amount) > _free.GetValueOrDefault(asset.Key))
                return NoPlan.TooLittle;
        }

        var coin = outputs.Where(output => output.Asset is null).Aggregate(fee, (sum, output) => sum + output.Amount);
        return coin > _free.GetValueOrDefault("") ? NoPlan.TooLittleForFee : null;
    }

    /// <summary>A plan was stored; what it uses up is not free any more.</summary>
    public void Spend(IReadOnlyList<PayoutOutput> outputs, PayoutReading reading)
    {
        foreach (var output in outputs)
            Take(output.Asset, output.Amount);
        Take(null, reading.FeeMax);
        Coins.RemoveAll(reading.Claim.Coins.Contains);
    }

    private void Take(string? asset, Int128 amount)
    {
        if (_free.TryGetValue(asset ?? "", out var free))
            _free[asset ?? ""] = free - amount;
    }
}
