namespace Coffer.Server.Host;

/// <summary>Something outside Coffer must be put right before it can start. The sentence says what, and what to do about it;
/// the command line prints it as it is, without a stack trace, and exits with a status other than 0.</summary>
internal sealed class SetupFailure(string sentence) : Exception(sentence);
