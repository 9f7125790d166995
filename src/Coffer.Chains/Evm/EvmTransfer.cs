using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;

namespace Coffer.Chains.Evm;

/// <summary>
/// The two transactions that pay somebody on an EVM chain: a plain transfer of the coin, and <c>transfer(address,uint256)</c> of a token
/// (ERC-20). Everything else is refused, so whoever reads a transaction here knows all that it can do.
/// </summary>
public static class EvmTransfer
{
    /// <summary>Whom a payment calls, with what coin and what data.</summary>
    /// <param name="output">What is paid; the asset and the address in the checksummed spelling.</param>
    public static (string To, Int128 Value, byte[] Data) Call(PayoutOutput output) => output.Asset is null
        ? (output.Address, output.Amount, []) : (output.Asset, 0, TokenCall.Write(EvmAddress.ToBytes(output.Address), output.Amount));

    /// <summary>
    /// What unsigned bytes do. Bytes that send nothing to <paramref name="from"/> itself, which only use up a nonce, have no outputs. A
    /// <see cref="KeyFault"/> for anything that is not a payment.
    /// </summary>
    /// <param name="unsigned">The bytes to sign.</param>
    /// <param name="from">The hot wallet's address, checksummed.</param>
    public static PayoutReading Read(ReadOnlySpan<byte> unsigned, string from)
    {
        var transaction = FeeMarketTransaction.Parse(unsigned);
        return new PayoutReading(null, OutputOf(transaction, from) is { } output ? [output] : [], [], transaction.FeeMax,
            new PayoutClaim(transaction.Nonce, [], null), transaction.ChainId);
    }

    /// <summary>Signs; the key must be that of the hot wallet's address, which the caller knows.</summary>
    /// <param name="unsigned">What <see cref="Read"/> took.</param>
    /// <param name="secret">The secret key, 32 bytes.</param>
    /// <param name="key">Its compressed public key.</param>
    /// <param name="keys">Does the arithmetic.</param>
    public static SignedPayout Sign(ReadOnlySpan<byte> unsigned, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> key, SecretKeys keys)
    {
        var transaction = FeeMarketTransaction.Parse(unsigned);
        Span<byte> signature = stackalloc byte[Secp256k1.SignatureBytes];
        var recoveryId = keys.Sign(transaction.SigningHash(), secret, key, signature);
        return Named(transaction.Signed(signature, recoveryId));
    }

    /// <summary>Holds signed bytes against the unsigned ones and the sender. A <see cref="KeyFault"/> when they are not the same.</summary>
    public static SignedPayout Accept(ReadOnlySpan<byte> unsigned, ReadOnlySpan<byte> signed, string from)
    {
        var (transaction, sender) = FeeMarketTransaction.ParseSigned(signed);
        if (!transaction.Unsigned().AsSpan().SequenceEqual(unsigned))
            throw RlpReader.Fault("is signed, but is not the one that was planned");
        return sender == from ? Named(signed.ToArray()) : throw RlpReader.Fault($"is signed by {sender}, not by the hot wallet {from}");
    }

    private static PayoutOutput? OutputOf(FeeMarketTransaction transaction, string from)
    {
        var data = transaction.Data.Span;
        if (data.IsEmpty)
        {
            if (transaction.To == from && transaction.Value == 0)
                return null;
            return transaction.Value > 0 ? new PayoutOutput(transaction.To, null, transaction.Value) : throw RlpReader.Fault("pays nothing");
        }

        return transaction.Value == 0 && TokenCall.Read(data) is var (receiver, amount)
            ? new PayoutOutput(EvmAddress.Write(receiver), transaction.To, amount)
            : throw RlpReader.Fault("calls a contract otherwise than to transfer a token");
    }

    private static SignedPayout Named(byte[] signed) => new("0x" + Convert.ToHexStringLower(Keccak256.Hash(signed)), signed);
}
