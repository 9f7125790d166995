namespace Coffer.Chains.Keys;

/// <summary>A key that cannot be used. The message is one sentence for the operator and never repeats the key.</summary>
public sealed class KeyFault(string message, Exception? cause = null) : Exception(message, cause);
