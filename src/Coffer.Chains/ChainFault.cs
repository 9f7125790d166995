namespace Coffer.Chains;

/// <summary>A node could not do what was asked. The loop that asked decides what comes next; nothing is assumed to have happened.</summary>
/// <param name="message">For the operator; names the chain, never a credential.</param>
/// <param name="retryable">True: ask again later. False: the same request will never succeed.</param>
/// <param name="cause">What happened below; null for none.</param>
public sealed class ChainFault(string message, bool retryable, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>True: ask again later. False: the same request will never succeed.</summary>
    public bool Retryable { get; } = retryable;
}
