using System.Text.Json;

namespace Coffer.Chains.Payouts;

/// <summary>Why a signer does not sign; on the wire in snake_case.</summary>
public enum SigningRefusalCode
{
    /// <summary>The bytes pay somebody else than the withdrawals say, or one who is not on the signer's list.</summary>
    OtherDestination,

    /// <summary>The bytes pay another amount than the withdrawals say.</summary>
    OtherAmount,

    /// <summary>It may cost more than the request or the signer's file allows.</summary>
    FeeAboveCap,

    /// <summary>More than the signer's file allows in one transaction, or an asset that the file does not name.</summary>
    OverTransactionLimit,

    /// <summary>More than the signer's file allows on one day (UTC).</summary>
    OverDayLimit,

    /// <summary>The signer's file does not list the chain, or the bytes are for another one.</summary>
    UnknownChain,

    /// <summary>The bytes spend from, or return change to, an address that is not the signer's.</summary>
    UnknownKey,

    /// <summary>A withdrawal or an input is described otherwise than when it was first signed.</summary>
    NotThisPlan,

    /// <summary>A withdrawal was signed under another claim, so both could be mined, today and for ever.</summary>
    AlreadyPaid,

    /// <summary>Tron: a withdrawal was signed in a transaction that has not surely expired yet. Later it may be signed anew.</summary>
    NotYet,

    /// <summary>The bytes cannot be read as a payment, or do anything beside paying.</summary>
    NotAPayment,
}

/// <summary>That a signer does not sign, and why. Nothing was signed; asked again it may be, when the reason has gone.</summary>
/// <param name="Code">What kind of no.</param>
/// <param name="Message">One sentence for the operator.</param>
public sealed record SigningRefusal(SigningRefusalCode Code, string Message)
{
    /// <summary>The code as the wire writes it, e.g. <c>over_day_limit</c>.</summary>
    public string Word => JsonNamingPolicy.SnakeCaseLower.ConvertName(Code.ToString());

    /// <summary>The refusal with this word; null for an unknown one.</summary>
    public static SigningRefusal? Of(string word, string message) =>
        Enum.GetValues<SigningRefusalCode>().Select(code => new SigningRefusal(code, message)).FirstOrDefault(one => one.Word == word);
}

/// <summary>What a signer answered. Only an answer that came is one; silence proves nothing, for the bytes may be signed.</summary>
/// <param name="Signed">What it signed; to be held against the plan, see <see cref="IPayouts.Accept"/>. Null when it refused.</param>
/// <param name="Refusal">Why it did not sign; null when it did.</param>
public sealed record SigningAnswer(SignedPayout? Signed, SigningRefusal? Refusal);
