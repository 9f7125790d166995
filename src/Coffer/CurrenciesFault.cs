namespace Coffer;

/// <summary>The currency file cannot be used; the message is one sentence with everything that is wrong in it.</summary>
public sealed class CurrenciesFault(IReadOnlyList<string> problems)
    : Exception($"The currency file cannot be used; correct it and start again: {string.Join("; ", problems)}.")
{
    /// <summary>Each problem, naming the currency and the member.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;
}
