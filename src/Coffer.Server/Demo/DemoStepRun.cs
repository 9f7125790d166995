using Coffer.Chains;
using Coffer.Chains.Simulated;
using Coffer.Ledger;
using Coffer.Server.Auth;
using Coffer.Server.Chain;
using Coffer.Server.Ledger;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Demo;

/// <summary>One step of the demo's thirty days: what is asked, what enters the chain, the blocks, and what follows from them.</summary>
internal sealed class DemoStepRun(Account account, DemoAccount demo, DemoClock clock, LedgerWriters ledger,
    FollowSimulatedChains follow, SimulatedChain chain, Currencies currencies)
{
    private const int BlockSeconds = 15;

    /// <summary>How many addresses of others withdrawals go to.</summary>
    private const int StrangersMax = 100;

    /// <summary>The address that a wallet's deposits on a network go to.</summary>
    public static string AddressOf(Account account, WalletId wallet, string network) =>
        SimulatedAddress.Make(account.Id, wallet, network, 0);

    /// <param name="step">The step.</param>
    /// <param name="mined">Whether an earlier start has mined its blocks.</param>
    /// <param name="ct">Stops between two commits.</param>
    public async Task Run(DemoStep step, bool mined, CancellationToken ct)
    {
        clock.Set(step.At);
        foreach (var one in step.Events.Where(e => e.Kind == DemoEventKind.Transfer))
            (await ledger.Write(account.Shard, TransferOf(one))).Accepted();
        foreach (var one in step.Events.Where(e => e.Kind == DemoEventKind.Withdrawal))
            await Request(one, ct);
        // Sends what was requested; the bytes are in the mempool when the block comes.
        if (step.Events.Any(e => e.Kind == DemoEventKind.Withdrawal))
            await follow.Follow(account.Id, account.Shard, ct);
        if (!mined)
        {
            foreach (var one in step.Events.Where(e => e.Kind == DemoEventKind.Deposit))
                await chain.Deposit(one.Name, [OutputOf(one)], ct);
            await chain.Mine(step.Blocks, step.At.AddSeconds(BlockSeconds), BlockSeconds, ct);
        }

        clock.Set(step.At.AddSeconds(BlockSeconds * step.Blocks));
        await follow.Follow(account.Id, account.Shard, ct);
    }

    private async Task Request(DemoEvent one, CancellationToken ct)
    {
        var currency = CurrencyOf(one);
        // A stranger's address, the same at every start.
        var to = SimulatedAddress.Make(account.Id, new WalletId(demo.KeyId), currency.Network, (long)(one.Amount % StrangersMax));
        var command = new RequestWithdrawal(account.Id, new WalletId(one.Wallet), currency, ReferenceOf(one), one.Amount, one.Fee, to);
        var platform = Int128.Min(currency.WithdrawalFee, one.Fee);
        var order = new WithdrawalOrder(chain.Id, one.Fee - platform, FeesOnTop: true);
        (await ledger.Write(account.Shard, command with { Companion = order })).Accepted();
    }

    private Transfer TransferOf(DemoEvent one)
    {
        var other = one.Wallet == demo.WalletId ? demo.DefaultWalletId : demo.WalletId;
        return new Transfer(
            account.Id, new WalletId(one.Wallet), CurrencyOf(one), ReferenceOf(one), new WalletId(other), one.Amount, "Weekly sweep");
    }

    private SimulatedOutput OutputOf(DemoEvent one)
    {
        var currency = CurrencyOf(one);
        return new SimulatedOutput(currency.Contract is null ? TransferKind.Native : TransferKind.Token,
            AddressOf(account, new WalletId(one.Wallet), currency.Network), currency.Code, one.Amount);
    }

    private static Reference ReferenceOf(DemoEvent one) => Reference.Of($"demo:{one.Name}");

    private Currency CurrencyOf(DemoEvent one) => currencies.TryFind(one.Currency, out var currency)
        ? currency
        : throw new Host.SetupFailure($"The demo needs {one.Currency} in the currency file: add it, or leave --currencies out.");
}
