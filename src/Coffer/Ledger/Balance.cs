namespace Coffer.Ledger;

/// <summary>Which balance: one wallet's holding of one currency.</summary>
/// <param name="Account">Whose.</param>
/// <param name="Currency">The currency's code.</param>
/// <param name="Wallet">Which wallet.</param>
public readonly record struct BalanceKey(AccountId Account, string Currency, WalletId Wallet);

/// <summary>
/// A wallet's holding of one currency and its all-time totals (contract 1), in smallest units. No part is ever negative, and
/// <c>available + incoming + held = deposited - withdrawn + transferred</c> at every version.
/// </summary>
public sealed record Balance
{
    /// <summary>
    /// Length of a posting's hash: the first 128 bits of SHA-256. Who wants to change a posting unseen must find a second preimage of a
    /// hash that stands already, and for that 128 bits are out of reach; the rest would cost every posting 16 bytes.
    /// </summary>
    public const int HashBytes = Digest.Bytes;

    private static readonly byte[] _genesis = new byte[HashBytes];

    /// <summary>Confirmed and free to spend.</summary>
    public Int128 Available { get; init; }

    /// <summary>Received on chain, waiting for confirmations.</summary>
    public Int128 Incoming { get; init; }

    /// <summary>Reserved by withdrawals that have not finished.</summary>
    public Int128 Held { get; init; }

    /// <summary>Every deposit ever received, pending ones included, vanished ones taken off.</summary>
    public Int128 Deposited { get; init; }

    /// <summary>Everything that left for good, fees included.</summary>
    public Int128 Withdrawn { get; init; }

    /// <summary>The fee part of <see cref="Withdrawn"/>.</summary>
    public Int128 Fees { get; init; }

    /// <summary>Moved in from own wallets less moved out to them; may be negative.</summary>
    public Int128 Transferred { get; init; }

    /// <summary>Of reversed deposits, what available did not cover. While it is not 0, withdrawals and transfers are frozen.</summary>
    public Int128 Deficit { get; init; }

    /// <summary>How many postings made this balance; 0 before the first.</summary>
    public long Version { get; init; }

    /// <summary>When the last posting was recorded.</summary>
    public DateTimeOffset LastMovementAt { get; init; }

    /// <summary>The hash of the last posting; zero bytes before the first.</summary>
    public byte[] HeadHash { get; init; } = _genesis;

    /// <summary><c>available + incoming + held</c>.</summary>
    public Int128 Total => Available + Incoming + Held;

    /// <summary>A balance that nothing has ever moved.</summary>
    public static Balance Empty { get; } = new();

    /// <summary>Whether the parts and totals are what the table's CHECKs allow and fit into 38 digits.</summary>
    public bool Fits() =>
        InRange(Available) && InRange(Incoming) && InRange(Held) && InRange(Deposited) && InRange(Withdrawn) && InRange(Fees)
        && InRange(Deficit) && InRange(Int128.Abs(Transferred)) && InRange(Total);

    private static bool InRange(Int128 value) => value >= 0 && value <= Amount.Max;
}
