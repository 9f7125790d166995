namespace Coffer.Server.Chain;

/// <summary>How the following of a chain goes. Written as its number nowhere; the words are those of the wire.</summary>
internal enum FollowState
{
    /// <summary>As far as the node, or a block or two behind it.</summary>
    Following,

    /// <summary>The node has more than was read so far.</summary>
    CatchingUp,

    /// <summary>Nothing can be read now; the message says why.</summary>
    Waiting,
}

/// <summary>One line of readiness.</summary>
internal sealed record ChainStanding(string Chain, long? Height, long? Tip, long? Behind, FollowState State, string? Message);

/// <summary>
/// How one chain is followed by this process, for whoever asks how ready it is. Written by the worker of the chain, read by anybody.
/// </summary>
internal sealed class ChainProgress(string chain, int behindMax)
{
    private readonly Lock _gate = new();
    private long? _height;
    private long? _tip;
    private string? _message = "The chain's nodes have not answered yet.";

    /// <summary>The nodes answered: they are at the tip, we are at the height.</summary>
    public void At(long? height, long tip)
    {
        lock (_gate)
            (_height, _tip, _message) = (height, tip, null);
    }

    /// <summary>Nothing can be done now.</summary>
    public void Waits(string message)
    {
        lock (_gate)
            _message = message;
    }

    public ChainStanding Standing()
    {
        lock (_gate)
        {
            long? behind = _tip is { } tip ? Math.Max(0, tip - (_height ?? -1)) : null;
            var message = _message ?? Lag();
            var state = message is not null ? FollowState.Waiting
                : behind <= behindMax ? FollowState.Following : FollowState.CatchingUp;
            return new ChainStanding(chain, _height, _tip, behind, state, message);
        }
    }

    private string? Lag() => _height is null ? "The block to begin at is not there yet."
        : _height - _tip > behindMax ? $"The nodes are at block {_tip}, which is below what was followed already."
        : null;
}
