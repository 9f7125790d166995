using System.Security.Cryptography;
using System.Text;
using Coffer.Chains.Evm;
using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;

namespace Coffer.Tests.Payouts;

/// <summary>The hot wallet's key of these tests, and a signer that trusts whoever asks.</summary>
internal static class TestHotKey
{
    private static readonly byte[] _secret = SHA256.HashData(Encoding.UTF8.GetBytes("the hot wallet of the tests"));
    private static readonly SecretKeys _keys = new(new byte[SecretKeys.RandomBytes]);
    private static readonly byte[] _key = _keys.PublicKey(_secret);

    public static string Address { get; } = EvmAddress.OfKey(_key);

    public static SignedPayout Sign(ReadOnlySpan<byte> unsigned) => EvmTransfer.Sign(unsigned, _secret, _key, _keys);

    public static Task<SigningAnswer> Sign(SigningRequest request, CancellationToken ct) =>
        Task.FromResult(new SigningAnswer(Sign(request.Unsigned), null));
}
