using System.CommandLine;
using Coffer.Server.Host;
using Coffer.Server.Ledger;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Commands;

/// <summary><c>coffer withdrawal</c>: what the operator sees of withdrawals and decides about them. Works beside a running server.</summary>
internal static class WithdrawalCommand
{
    private const int CountUsual = 50;
    private const int CountMax = 1_000;

    public static Command Make() => new("withdrawal", "Customers' withdrawals")
    {
        List(),
        Show(),
        Approve(),
        Reject(),
        Cancel(),
        ColdWithdrawalCommand.Export(),
        ColdWithdrawalCommand.Import(),
        WithdrawalAddressCommand.Make(),
    };

    private static Command List()
    {
        var command = new Documented("list", "List withdrawals that have not ended, or those of one account", """
            Examples:
              coffer withdrawal list --waits-for approval
              coffer withdrawal list --status unknown --json
              coffer withdrawal list --account ID --status completed

            Of all accounts: what has not ended, oldest first. Of one account: everything, newest first.
            """);
        var account = Texts.Option("--account", "ID", "Only of this account (all)");
        var status = Texts.Option("--status", "STATUS", "Only in this state, e.g. pending").AcceptOnly(
            [.. Enum.GetValues<WithdrawalState>().Select(WithdrawalStates.Word)]);
        var waits = Texts.Option("--waits-for", "WORD", "Only those that wait for this: approval, funds, gas, frozen, fee, signature");
        var limit = Texts.Option("--limit", "N", $"At most so many ({CountUsual})");
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        foreach (var option in (Option[])[account, status, waits, limit, json])
            command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            var state = parsed.GetValue(status) is { } word ? WithdrawalStates.Of(word) : null;
            var count = Count(parsed.GetValue(limit));
            var waitsFor = parsed.GetValue(waits);
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            List<Withdrawal> rows;
            if (parsed.GetValue(account) is { } id)
            {
                var owner = await AccountCommand.Find(work, id, ct);
                var filter = new WithdrawalFilter(state, null, null, null, null, Guid.Empty, Guid.AllBitsSet);
                rows = await work.Db.ListWithdrawals(owner.Shard, owner.Id, filter, newestFirst: true, CountMax, 0, ct);
                rows = [.. rows.Where(row => waitsFor is null || row.WaitsFor == waitsFor).Take(count)];
            }
            else
            {
                rows = await work.Db.OpenWithdrawals(state, waitsFor, count, ct);
            }

            var shown = rows.Select(row => WithdrawalLine.Of(row, work.Currencies)).ToList();
            Output.Of(parsed, json).Write(new { Withdrawals = shown },
                shown.Count == 0 ? ["There are none."] : [.. shown.Select(line => line.Text)]);
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Show() => One("show", "Show a withdrawal", """
        Example:
          coffer withdrawal show 01961f0e-7d9a-7c1b-9c55-3f0d3c1b2a10
        """, (_, row, _, _) => Task.FromResult(row));

    private static Command Approve() => One("approve", "Let a withdrawal go that waits for an approval", """
        Example:
          coffer withdrawal approve 01961f0e-7d9a-7c1b-9c55-3f0d3c1b2a10 --as alice

        Written down as operator:NAME. Nobody decides about what he asked for himself.
        """, async (work, row, by, ct) =>
        {
            await using var ledger = work.WithdrawalLedger();
            return await Decide(work, ledger).Approve(row, by, ct);
        }, decides: true);

    private static Command Reject()
    {
        var reason = Texts.Option("--reason", "TEXT", "Why; the customer sees it", required: true);
        var why = "";
        var command = One("reject", "Refuse a withdrawal that nobody has begun to pay; everything is given back", """
            Example:
              coffer withdrawal reject 01961f0e-7d9a-7c1b-9c55-3f0d3c1b2a10 --reason "destination is not known to us"
            """, async (work, row, by, ct) =>
            {
                await using var ledger = work.WithdrawalLedger();
                return await Decide(work, ledger).Reject(row, by, why, ct);
            }, decides: true, before: parsed => why = Operator.Line(parsed.GetValue(reason)!, "--reason", ApprovalsApi.ReasonMax));
        command.Options.Add(reason);
        return command;
    }

    private static Command Cancel() => One("cancel", "Take a withdrawal back for the customer, as he could himself", """
        Example:
          coffer withdrawal cancel 01961f0e-7d9a-7c1b-9c55-3f0d3c1b2a10
        """, async (work, row, _, _) =>
        {
            await using var ledger = work.WithdrawalLedger();
            return await new FinishWithdrawal(ledger, work.Currencies).Cancel(row);
        });

    private static Command One(string name, string about, string examples, Func<Workplace, Withdrawal, string, CancellationToken, Task<Withdrawal>> act,
        bool decides = false, Action<ParseResult>? before = null)
    {
        var command = new Documented(name, about, examples);
        var id = new Argument<string>("ID") { Description = "The withdrawal's id" };
        var who = Operator.Option();
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        command.Arguments.Add(id);
        command.Options.Add(json);
        if (decides)
            command.Options.Add(who);
        command.SetAction(async (parsed, ct) =>
        {
            var wanted = Texts.Uuid(parsed.GetValue(id)!, "ID");
            before?.Invoke(parsed);
            var by = decides ? Operator.Name(parsed, who) : "";
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var row = await work.Db.FindWithdrawal(wanted, ct) ?? throw new SetupFailure(
                $"There is no withdrawal {wanted} here: check the id, and that --data or --database name the right ledger.");
            var line = WithdrawalLine.Of(await act(work, row, by, ct), work.Currencies);
            Output.Of(parsed, json).Write(line, line.Text);
            return CommandLine.Done;
        });
        return command;
    }

    private static DecideWithdrawal Decide(Workplace work, LedgerWriters ledger) =>
        new(work.Db, new FinishWithdrawal(ledger, work.Currencies), work.Clock);

    /// <summary>Writers of this process, for one step of a withdrawal.</summary>
    private static LedgerWriters WithdrawalLedger(this Workplace work) =>
        new(work.Shards, work.Db, work.Ids, work.Clock, LedgerGuests.All(work.Clock));

    private static int Count(string? text)
    {
        if (text is null)
            return CountUsual;
        return int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var count)
            && count is >= 1 and <= CountMax ? count : throw new Misuse($"--limit must be a whole number from 1 to {CountMax}, not \"{text}\".");
    }
}

/// <summary>A withdrawal as the operator sees it.</summary>
internal sealed record WithdrawalLine(Guid Id, Guid AccountId, Guid WalletId, string Status, string? WaitsFor, string? Reason, string Amount,
    string Currency, string NetworkFee, string TransactionFee, string Address, string Chain, string? TransactionHash, string? RequestedBy,
    bool NeedsApproval, string? DecidedBy, DateTimeOffset CreatedAt, DateTimeOffset? DecidedAt, DateTimeOffset UpdatedAt)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public string Text => $"{Id}  {Status}{(WaitsFor is null ? "" : $" (waits for {WaitsFor})")}  {Amount} {Currency} to {Address}, account {AccountId}, "
        + $"{Wire.Time(CreatedAt)}" + (RequestedBy is null ? "" : $", asked by {RequestedBy}") + (DecidedBy is null ? "" : $", decided by {DecidedBy}")
        + (TransactionHash is null ? "" : $", transaction {TransactionHash}") + (Reason is null ? "" : $": {Reason}");

    public static WithdrawalLine Of(Withdrawal row, Currencies currencies)
    {
        var decimals = currencies.Find(row.Currency).Decimals;
        return new WithdrawalLine(row.Id.Value, row.Account.Value, row.Wallet.Value, row.State.Word(), row.WaitsFor, row.Reason,
            Coffer.Amount.Short(row.Amount, decimals), row.Currency, Coffer.Amount.Short(row.NetworkFee, decimals),
            Coffer.Amount.Short(row.TransactionFee, decimals), row.Address, row.Chain, row.TxId, row.RequestedBy, row.NeedsApproval, row.DecidedBy,
            row.CreatedAt, row.DecidedAt, row.UpdatedAt);
    }
}
