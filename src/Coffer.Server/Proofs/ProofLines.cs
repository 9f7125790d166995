using Coffer.Server.Dashboard;

namespace Coffer.Server.Proofs;

/// <summary>Proofs in the words of the operator's page.</summary>
internal static class ProofLines
{
    public static IReadOnlyList<ProofLine> Of(IReadOnlyList<Proof> proofs) =>
    [
        .. proofs.Select(proof => new ProofLine(Subject(proof.Subject), Status(proof), proof.FinishedAt ?? proof.AskedAt, proof.AskedBy,
            proof.Proven?.Summary ?? "", proof.Proven?.Wrong ?? 0, proof.Proven?.Findings ?? [])),
    ];

    private static string Subject(string name) => name.Split(':', 2) switch
    {
        ["chain", var chain] => $"Deposits on {chain}",
        ["hot_wallet", var chain] => $"Hot wallet on {chain}",
        _ => "Ledger",
    };

    private static string Status(Proof proof) => proof.Proven?.Result switch
    {
        ProofResult.Holds => "holds",
        ProofResult.Wrong => "wrong",
        ProofResult.CannotTell => "cannot_tell",
        _ => proof.IsRunning ? "running" : "waiting",
    };
}
