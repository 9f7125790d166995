using System.Text.Json.Nodes;
using Coffer.Chains.Payouts;
using static Coffer.Tests.Signer.SignerWorld;

namespace Coffer.Tests.Signer;

/// <summary>What the operator may say beside the plain limits.</summary>
public sealed class SignerLimitTests
{
    [Fact]
    public async Task Only_listed_addresses_are_paid_when_there_is_a_list()
    {
        using var world = new SignerWorld(file => file["chains"]![0]!["allow"] = new JsonArray(Receiver.ToLowerInvariant()));
        await world.Signed(world.Pay(1, 0));
        await world.Signed(world.Pay(1, 1, asset: Token));
        await world.Refused(SigningRefusalCode.OtherDestination, world.Pay(1, 2, to: Other), "is not among the addresses");
    }

    [Fact]
    public async Task The_fees_of_a_day_have_a_limit_and_a_replacement_adds_only_what_it_costs_more()
    {
        using var world = new SignerWorld(file => file["chains"]![0]!["fee_per_day"] = "0.021");
        await world.Signed(world.Pay(1, 0, id: "w", fee: Coin("0.00525")));
        await world.Signed(world.Pay(1, 0, id: "w", fee: Coin("0.0084")));
        await world.Signed(world.Pay(1, 1, fee: Coin("0.0084")));
        world.Restart();
        await world.Refused(SigningRefusalCode.OverDayLimit, world.Pay(1, 2, fee: Coin("0.0063")), "fees of today");
        await world.Signed(world.Pay(1, 2, fee: Coin("0.0042")));
    }
}
