namespace Coffer;

/// <summary>Whether an account lives on real chains or on the simulated one (contract 4 and 7). Fixed at creation.</summary>
public enum Mode : short
{
    /// <summary>Real chains, real money.</summary>
    Live = 0,

    /// <summary>The simulated chain of section 7; can never reach a real one.</summary>
    Test = 1,
}

/// <summary>What a credential may do (contract 4): <c>GET</c> needs <see cref="Read"/>, everything else <see cref="Write"/>.</summary>
[Flags]
public enum Scopes : short
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The scope <c>read</c>.</summary>
    Read = 1,

    /// <summary>The scope <c>write</c>.</summary>
    Write = 2,

    /// <summary>The scope <c>approve</c>: to let withdrawals go, or refuse them. Only the operator gives it, and only to API keys.</summary>
    Approve = 4,
}
