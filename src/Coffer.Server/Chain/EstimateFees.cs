using Coffer.Chains;
using Coffer.Server.Rates;
using Coffer.Server.Sql;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Chain;

/// <summary>
/// The worker that asks one real chain what a transfer costs, for the currencies whose network fee follows the chain. Called by one loop per
/// chain. What it learns is in memory only: a request never waits for a node, and a process that has not learned it yet charges the fallback,
/// or refuses. A node that is away leaves the last estimate to its age.
/// </summary>
internal sealed partial class EstimateFees(
    RealChain chain, Db db, NetworkFees fees, TimeProvider time, ILogger log, CancellationToken stopping)
{
    /// <summary>The pause between two looks: about a block of the faster chains, far below <see cref="NetworkFees.AgeMax"/>.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan _waitMax = TimeSpan.FromSeconds(30);

    private string? _lastMessage;

    /// <summary>Whether any currency of a chain needs estimates.</summary>
    public static bool IsNeeded(RealChain chain) =>
        chain.Entry.Hot is not null && chain.Followed.Assets.Any(asset => asset.Currency.NetworkFeeEstimate is not null);

    public async Task Run(CancellationToken ct)
    {
        if (stopping.IsCancellationRequested)
            return;
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(stopping, ct);
        bound.CancelAfter(_waitMax);
        try
        {
            foreach (var (currency, asset) in chain.Followed.Assets)
            {
                if (currency.NetworkFeeEstimate is not null)
                    await Learn(currency, asset, bound.Token);
            }

            _lastMessage = null;
        }
        catch (OperationCanceledException)
        {
            // The next look is not far away.
        }
        catch (ChainFault fault)
        {
            if (fault.Message != _lastMessage)
                NotKnown(log, chain.Entry.Id, fault.Message);
            _lastMessage = fault.Message;
        }
    }

    private async Task Learn(Currency currency, string? asset, CancellationToken ct)
    {
        var expected = await chain.Chain.FeeEstimate(asset, ct);
        if (asset is null)
        {
            fees.Know(currency.Code, expected);
            return;
        }

        // The currency file has it: see CurrenciesFile.
        var coin = chain.Followed.Assets.First(own => own.Asset is null).Currency;
        var rates = await db.Rates([coin.Code, currency.Code], time.GetUtcNow(), ct);
        var (coinPrice, price) = (Price(rates, coin), Price(rates, currency));
        if (coinPrice is not { } coins || price is not { } tokens
            || EstimatedFee.InToken(expected, coin.Decimals, coins, currency.Decimals, tokens) is not { } fee)
        {
            var missing = coinPrice is null ? coin.Code : currency.Code;
            fees.Miss(currency.Code, $"The network fee of {currency.Code} is worked out from the prices of {coin.Code} and {currency.Code}, and there "
                + $"is no current price of {missing}; nothing was reserved. Ask the operator to set one.");
            return;
        }

        fees.Know(currency.Code, fee);
    }

    private UsdPrice? Price(List<RateRow> rates, Currency currency) => rates.Find(rate => rate.Currency == currency.Code) is { } rate
        && (currency.PriceAgeMax is not { } max || time.GetUtcNow() - rate.At <= max) ? rate.Price : null;

    [LoggerMessage(24, LogLevel.Warning, "What a transfer costs on {Chain} is not known: {Message}")]
    private static partial void NotKnown(ILogger log, string chain, string message);
}
