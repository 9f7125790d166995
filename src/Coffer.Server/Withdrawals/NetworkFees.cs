using System.Collections.Concurrent;

namespace Coffer.Server.Withdrawals;

/// <summary>
/// The network fees that are charged now. Those that are estimated a worker learns from the chains and puts here, so that no request waits for
/// a node; what is quoted from here is what the withdrawal is charged.
/// </summary>
internal sealed class NetworkFees(TimeProvider time)
{
    /// <summary>An estimate that is older counts as unknown.</summary>
    public static readonly TimeSpan AgeMax = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, (Int128 Fee, DateTimeOffset At)> _known = new();
    private readonly ConcurrentDictionary<string, string> _missing = new();

    /// <summary>What a withdrawal of a currency is expected to cost, in its smallest units.</summary>
    public void Know(string currency, Int128 fee)
    {
        _known[currency] = (fee, time.GetUtcNow());
        _missing.TryRemove(currency, out _);
    }

    /// <summary>Why it cannot be known, in a sentence for callers; what was known counts no more.</summary>
    public void Miss(string currency, string why)
    {
        _missing[currency] = why;
        _known.TryRemove(currency, out _);
    }

    /// <summary>What a withdrawal is charged for the network; null while that is not known.</summary>
    public Int128? Find(Currency currency, Mode mode)
    {
        if (currency.NetworkFeeEstimate is not { } estimate)
            return currency.NetworkFee;
        // The simulated chain asks for nothing, so there is nothing to estimate there.
        if (mode == Mode.Test)
            return estimate.Fallback ?? estimate.Max;
        return _known.TryGetValue(currency.Code, out var known) && time.GetUtcNow() - known.At <= AgeMax
            ? estimate.Charged(known.Fee) : estimate.Fallback;
    }

    /// <summary>What a withdrawal is charged for the network.</summary>
    /// <exception cref="Refused">It is not known.</exception>
    public Int128 Charged(Currency currency, Mode mode) => Find(currency, mode) ?? throw new Refused(new(RefusalCode.ServiceUnavailable,
        _missing.GetValueOrDefault(currency.Code)
        ?? $"The network fee of {currency.Code} is not known just now, so nothing can be paid out; nothing was reserved. Try again in a minute."));
}
