namespace Coffer.Chains;

/// <summary>
/// The hot wallet of one chain as the operator's file describes it: which addresses pay withdrawals, who signs for them, and within which
/// bounds. No key is in it.
/// </summary>
public sealed record HotEntry
{
    /// <summary>Unconfirmed payouts at once when nothing else is said: what the usual node keeps of one sender.</summary>
    public const int InFlightUsual = 64;

    /// <summary>The most unconfirmed payouts at once.</summary>
    public const int InFlightLimit = 5_000;

    /// <summary>The most withdrawals in one transaction.</summary>
    public const int BatchLimit = 100;

    /// <summary>The wait before a payout that is in no block is offered again for a higher fee, when nothing else is said.</summary>
    public static readonly TimeSpan BumpAfterUsual = TimeSpan.FromMinutes(3);

    /// <summary>EVM, Tron: the address that pays. Null on Bitcoin.</summary>
    public string? Address { get; init; }

    /// <summary>Bitcoin: the account-level extended public key whose addresses pay. Null elsewhere.</summary>
    public string? Xpub { get; init; }

    /// <summary>Where <c>coffer signer serve</c> listens: <c>unix:PATH</c> or <c>http://</c> on loopback; null: signed by hand (cold).</summary>
    public string? Signer { get; init; }

    /// <summary>The file with the secret that the signer asks for; null exactly when there is no signer.</summary>
    public string? SecretFile { get; init; }

    /// <summary>The most that one transaction may cost, in smallest units of the chain's coin, above 0.</summary>
    public required Int128 FeeMax { get; init; }

    /// <summary>Payouts that may wait for a block at once, 1 to <see cref="InFlightLimit"/>.</summary>
    public int InFlightMax { get; init; } = InFlightUsual;

    /// <summary>Bitcoin: withdrawals that one transaction may pay, 1 to <see cref="BatchLimit"/>.</summary>
    public int BatchMax { get; init; } = 1;

    /// <summary>How long a payout may be in no block before a higher fee is offered for it.</summary>
    public TimeSpan BumpAfter { get; init; } = BumpAfterUsual;

    /// <summary>By currency code: below which decimal amount the operator is warned. Read against the currency file.</summary>
    public IReadOnlyDictionary<string, string> Low { get; init; } = new Dictionary<string, string>();
}
