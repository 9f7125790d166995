using Coffer.Chains.Payouts;

namespace Coffer.Server.Signer;

/// <summary>
/// What the signer has signed, rebuilt from its log at every start: what each withdrawal is and under which claims it was signed, what
/// each input is worth, and how much has left today. Days are those of UTC.
/// </summary>
internal sealed class SignerMemory
{
    private const string Fee = "fee";

    private readonly Dictionary<string, (long At, int Length)> answers = [];
    private readonly Dictionary<string, Paid> withdrawals = [];
    private readonly Dictionary<(string Chain, string From, long Nonce), Int128> nonces = [];
    private readonly Dictionary<(string Chain, string TxId, int Ordinal), Int128> coins = [];
    private readonly Dictionary<(string Chain, string Asset), Int128> today = [];
    private DateOnly day;

    /// <summary>Where the log has the answer to an equal request; null: there was none.</summary>
    public (long At, int Length)? Answer(string request) => answers.TryGetValue(request, out var place) ? place : null;

    /// <summary>What is known of a withdrawal; null: it was never signed.</summary>
    public Paid? Withdrawal(string id) => withdrawals.GetValueOrDefault(id);

    /// <summary>What an input was said to be worth; null: it was never signed.</summary>
    public Int128? Coin(string chain, HotCoin coin) =>
        coins.TryGetValue((chain, coin.TxId, coin.Ordinal), out var amount) ? amount : null;

    /// <summary>How much of an asset has left on the day of a moment.</summary>
    public Int128 SpentOn(DateTimeOffset now, string chain, string asset) => Day(now) == day ? today.GetValueOrDefault((chain, asset)) : 0;

    /// <summary>What the fees of a day can come to.</summary>
    public Int128 FeesOn(DateTimeOffset now, string chain) => SpentOn(now, chain, Fee);

    /// <summary>
    /// By how much a transaction can raise the fees that are paid: of all that share a claim only one is ever mined.
    /// </summary>
    public Int128 FeeMore(SignedEntry entry)
    {
        var earlier = entry.Nonce is { } nonce ? nonces.GetValueOrDefault((entry.Chain, entry.From, nonce)) : 0;
        if (entry.Coins.Count > 0)
            foreach (var paid in entry.Withdrawals.Select(one => Withdrawal(one.Id)).OfType<Paid>())
                earlier = Int128.Max(earlier, paid.Claims.Max(claim => claim.Fee));
        return Int128.Max(0, entry.Fee - earlier);
    }

    /// <summary>Those of an entry's payments that are paid anew: not again under a claim that they share with an earlier transaction.</summary>
    public IEnumerable<SigningPayment> New(SignedEntry entry) => entry.Withdrawals.Where(one =>
        Withdrawal(one.Id) is not { } paid || (entry.ExpiresAt is not null && paid.Claims.All(claim => claim.Plan != entry.Plan)));

    /// <summary>Takes in what was signed.</summary>
    public void Add(SignedEntry entry, DateTimeOffset at, (long At, int Length) place)
    {
        if (Day(at) > day)
        {
            day = Day(at);
            today.Clear();
        }

        foreach (var one in New(entry).ToList())
            Count(entry.Chain, one.Output.Asset ?? SignerChain.Coin, one.Output.Amount);
        Count(entry.Chain, Fee, FeeMore(entry));
        answers[entry.Request] = place;
        foreach (var one in entry.Withdrawals)
        {
            if (!withdrawals.TryGetValue(one.Id, out var paid))
                withdrawals.Add(one.Id, paid = new Paid(entry.Chain, one.Output, []));
            paid.Claims.Add(entry with { Withdrawals = [], Signed = [] });
        }

        if (entry.Nonce is { } nonce)
            nonces[(entry.Chain, entry.From, nonce)] = Int128.Max(entry.Fee, nonces.GetValueOrDefault((entry.Chain, entry.From, nonce)));
        foreach (var (txId, ordinal, amount) in entry.Coins)
            coins[(entry.Chain, txId, ordinal)] = amount;
    }

    /// <summary>The sum of two amounts; one above all limits where it is larger than any amount.</summary>
    public static Int128 Sum(Int128 one, Int128 other) => other > Amount.Max - one ? Amount.Max + 1 : one + other;

    private static DateOnly Day(DateTimeOffset at) => DateOnly.FromDateTime(at.UtcDateTime);

    private void Count(string chain, string asset, Int128 amount) => today[(chain, asset)] = Sum(today.GetValueOrDefault((chain, asset)), amount);
}

/// <summary>A withdrawal that was signed.</summary>
/// <param name="Chain">On which chain.</param>
/// <param name="Output">What it is; it is never anything else.</param>
/// <param name="Claims">Every transaction that pays it.</param>
internal sealed record Paid(string Chain, PayoutOutput Output, List<SignedEntry> Claims);
