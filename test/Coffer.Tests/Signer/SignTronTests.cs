using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Chains.Tron;
using Coffer.Server.Signer;

namespace Coffer.Tests.Signer;

/// <summary>Tron: transactions exclude each other only by expiring.</summary>
public sealed class SignTronTests : IDisposable
{
    private static readonly string _block = new('0', 64);
    private static readonly string _receiver = TronAddress.Write([.. Enumerable.Range(1, 20).Select(i => (byte)i)]);
    private static readonly string _other = TronAddress.Write([.. Enumerable.Range(2, 20).Select(i => (byte)i)]);

    private readonly SignerWorld world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task A_payment_is_signed_by_the_hot_wallet_and_others_are_refused()
    {
        var request = Pay("a", 5_000_000);
        var signed = await world.Signed(request);
        Assert.Equal(signed.TxId, TronTransfer.Accept(request.Unsigned, signed.Bytes, world.Key("tron").Address).TxId);
        await world.Refused(SigningRefusalCode.OtherDestination, Pay("b", 5_000_000) with { Unsigned = Pay("b", 5_000_000, to: _other).Unsigned });
        await world.Refused(SigningRefusalCode.OtherAmount, Pay("b", 5_000_000) with { Unsigned = Pay("b", 5_000_001).Unsigned });
        await world.Refused(SigningRefusalCode.UnknownKey, Pay("b", 5_000_000) with { Unsigned = Pay("b", 5_000_000, from: _other).Unsigned });
        await world.Refused(SigningRefusalCode.OverTransactionLimit, Pay("b", 1_000_000_001));
        await world.Refused(SigningRefusalCode.NotAPayment, Pay("b", 1) with { Withdrawals = [], Unsigned = [1, 2, 3] });
    }

    [Fact]
    public async Task A_withdrawal_is_signed_anew_only_when_every_earlier_transaction_has_surely_expired()
    {
        var first = Pay("a", 900_000_000);
        await world.Signed(first);
        await world.Refused(SigningRefusalCode.NotYet, Pay("a", 900_000_000, minutes: 11), "may be mined beside this one until");
        world.Time.Now += TimeSpan.FromMinutes(10) + CheckPayout.ExpiredMargin;
        world.Restart();
        await world.Refused(SigningRefusalCode.NotYet, Pay("a", 900_000_000));
        world.Time.Now += TimeSpan.FromSeconds(1);
        await world.Signed(Pay("a", 900_000_000));

        // The signer cannot know that the first was not mined, so both count.
        await world.Signed(Pay("b", 900_000_000));
        await world.Refused(SigningRefusalCode.OverDayLimit, Pay("c", 900_000_000));
        // What was signed before comes back, expired or not.
        await world.Signed(first);
    }

    private SigningRequest Pay(string id, long sun, string? to = null, string? from = null, int minutes = 10)
    {
        var now = world.Time.Now;
        var unsigned = TronTransfer.Build(from ?? world.Key("tron").Address, new PayoutOutput(to ?? _receiver, null, sun), (7, _block),
            now + TimeSpan.FromMinutes(minutes), now, 0);
        return new SigningRequest("p", "tron", [new SigningPayment(id, new PayoutOutput(_receiver, null, sun))], 50_000_000, unsigned);
    }
}
