using Coffer.Server.Auth;
using Coffer.Server.Sql;

namespace Coffer.Server.Withdrawals;

/// <summary>
/// The second pair of eyes on a withdrawal: somebody else than who asked for it lets it go, or refuses it. Called by the API (credentials
/// with the scope that only the operator gives) and by the operator's command.
///
/// Guarantees: of two who decide at once one is told so; who asked never decides, which the database refuses too. If the process dies here,
/// the decision was made or it was not.
/// </summary>
internal sealed class DecideWithdrawal(Db db, FinishWithdrawal finish, TimeProvider time)
{
    /// <summary>Lets it be paid. Again by the same is the same.</summary>
    /// <exception cref="Refused">It needs no approval, is beyond it, or was asked for by the same.</exception>
    public async Task<Withdrawal> Approve(Withdrawal withdrawal, string by, CancellationToken ct)
    {
        await CheckOther(withdrawal, by, ct);
        var now = time.GetUtcNow();
        await db.Transaction((tx, token) => tx.Approve(withdrawal, by, finish.Currencies, now, token), ct, repeatable: true);
        var row = await db.FindWithdrawal(withdrawal.Shard, withdrawal.Account, withdrawal.Id.Value, ct)
            ?? throw new Refused(Refusal.NotFound("withdrawal"));
        if (row.DecidedBy == by && row.State != WithdrawalState.Rejected)
            return row;
        throw new Refused(new(RefusalCode.Conflict, row.DecidedBy is not null
            ? $"This withdrawal was decided already; it is {row.State.Word()}."
            : row.NeedsApproval
                ? $"This withdrawal is {row.State.Word()}; it waits for no approval any more."
                : "This withdrawal needs no approval."));
    }

    /// <summary>Refuses it and gives everything back.</summary>
    /// <exception cref="Refused">Somebody has begun to pay it, it has ended, or was asked for by the same.</exception>
    public async Task<Withdrawal> Reject(Withdrawal withdrawal, string by, string reason, CancellationToken ct)
    {
        await CheckOther(withdrawal, by, ct);
        return await finish.Reject(withdrawal, by, reason);
    }

    /// <summary>A person is the same behind his sessions, the keys and clients that he made, and those that these made.</summary>
    private async Task CheckOther(Withdrawal withdrawal, string by, CancellationToken ct)
    {
        var asked = withdrawal.RequestedBy;
        if (asked is null || (asked != by && (await PersonBehind(by, ct) is not { } person || await PersonBehind(asked, ct) != person)))
            return;
        throw new Refused(new(RefusalCode.Forbidden, asked == by
            ? "This credential asked for the withdrawal; somebody else has to decide about it."
            : "You asked for the withdrawal, with a credential that you made; somebody else has to decide about it.",
            new Dictionary<string, object> { ["requested_by"] = asked }));
    }

    /// <summary>The user of the dashboard behind a name that <see cref="Caller.Name"/> has given; null when there is none.</summary>
    private async Task<Guid?> PersonBehind(string name, CancellationToken ct) => name.Split(':', 2) switch
    {
        ["user", var id] when Guid.TryParse(id, out var user) => user,
        ["key", var id] when Guid.TryParse(id, out var key) => await db.ApiKeyMaker(key, ct),
        ["client", var id] => await db.OAuthClientMaker(id, ct),
        _ => null,
    };
}
