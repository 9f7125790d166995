namespace Coffer.Chains;

/// <summary>The chains file cannot be used; the message is one sentence with everything that is wrong in it, and no credential.</summary>
public sealed class ChainsFault(IReadOnlyList<string> problems)
    : Exception($"The chains file cannot be used; correct it and start again: {string.Join("; ", problems)}.")
{
    /// <summary>Each problem, naming the chain and the member.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;
}
