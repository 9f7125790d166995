using System.Numerics;

namespace Coffer.Server.Payments;

/// <summary>What a customer expects to be paid: one row of <c>payment</c>.</summary>
/// <param name="Wallet">Where what is paid goes.</param>
/// <param name="AddressId">The address that belongs to this payment alone.</param>
/// <param name="Amount">Expected, smallest units of the currency.</param>
/// <param name="PriceCents">When it was asked for in dollars: how many cents.</param>
/// <param name="Rate">The price that it was converted at; stays for this payment.</param>
/// <param name="IdempotencyKey">Of the request that made it; null for none.</param>
internal sealed record Payment(Guid Id, WalletId Wallet, Guid AddressId, string Currency, Int128 Amount, Int128? PriceCents, UsdPrice? Rate,
    string? OrderId, string? CustomId, string? Description, string? CallbackUrl, string? IdempotencyKey, DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt);

/// <summary>One deposit to a payment's address, of whatever currency.</summary>
/// <param name="Currency">Null: not one that this server keeps.</param>
/// <param name="Height">Of its block; null while it waits for one.</param>
/// <param name="Confirmations">So far, its own block included; 0 while it waits for one or when that counts no more.</param>
/// <param name="Reason">Why it is not credited; null when it is.</param>
internal sealed record PaymentReceipt(string Address, string TxId, PaymentDepositState State, string? Currency, BigInteger Amount, long? Height,
    long Confirmations, string? Reason, DateTimeOffset ArrivedAt);

/// <summary>A payment with everything that is shown of it.</summary>
/// <param name="Address">Null: its key is in the chains file no more, so it cannot be proven and is not shown.</param>
internal sealed record PaymentView(Payment Payment, string? Address, PaymentStanding Standing, IReadOnlyList<PaymentReceipt> Receipts);
