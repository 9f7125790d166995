using Coffer.Server.Chain;

namespace Coffer.Tests.Rules;

/// <summary>How a chain stands for whoever asks how ready it is.</summary>
public sealed class ChainProgressTests
{
    private readonly ChainProgress _progress = new("ethereum", behindMax: 10);

    [Fact]
    public void A_chain_waits_until_a_node_answers_and_again_when_it_stops_answering()
    {
        Is(null, null, null, FollowState.Waiting, "The chain's nodes have not answered yet.");
        _progress.At(100, 100);
        Is(100, 100, 0, FollowState.Following, null);
        _progress.Waits("away");
        Is(100, 100, 0, FollowState.Waiting, "away");
        _progress.At(100, 105);
        Is(100, 105, 5, FollowState.Following, null);
    }

    [Theory]
    [InlineData(90L, 100, 10L, "Following", null)]
    [InlineData(89L, 100, 11L, "CatchingUp", null)]
    [InlineData(110L, 100, 0L, "Following", null)]
    [InlineData(111L, 100, 0L, "Waiting", "The nodes are at block 100, which is below what was followed already.")]
    [InlineData(null, 100, 101L, "Waiting", "The block to begin at is not there yet.")]
    public void A_chain_is_behind_by_what_the_nodes_have_more(long? height, long tip, long behind, string state, string? message)
    {
        _progress.At(height, tip);
        Is(height, tip, behind, Enum.Parse<FollowState>(state), message);
    }

    private void Is(long? height, long? tip, long? behind, FollowState state, string? message) =>
        Assert.Equal(new ChainStanding("ethereum", height, tip, behind, state, message), _progress.Standing());
}
