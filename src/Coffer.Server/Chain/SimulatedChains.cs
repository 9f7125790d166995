using Coffer.Chains;
using Coffer.Chains.Payouts;
using Coffer.Chains.Simulated;
using Coffer.Server.Payouts;
using Coffer.Server.Sql;

namespace Coffer.Server.Chain;

/// <summary>
/// The simulated chains that this process has in memory, one per test account, made from their logs when they are asked for. Beyond a bound
/// the one that was used longest ago is forgotten: its log has everything.
/// </summary>
internal sealed class SimulatedChains(Db db, Currencies currencies, TimeProvider time)
{
    /// <summary>Chains kept in memory at once.</summary>
    public const int CountMax = 32;

    /// <summary>Payouts of one account that may wait for a block.</summary>
    public const int InFlightMax = 1_000;

    private readonly Lock _gate = new();
    private readonly LinkedList<(AccountId Account, SimulatedChain Chain)> _recent = [];
    private readonly Dictionary<AccountId, LinkedListNode<(AccountId Account, SimulatedChain Chain)>> _byAccount = [];

    /// <summary>The chain of a test account.</summary>
    public SimulatedChain Of(AccountId account)
    {
        lock (_gate)
        {
            if (_byAccount.TryGetValue(account, out var known))
            {
                _recent.Remove(known);
                _recent.AddFirst(known);
                return known.Value.Chain;
            }

            // Somebody may still be using the forgotten one; two instances of a chain agree, so it is left to him.
            if (_recent.Count >= CountMax && _recent.Last is { } oldest)
            {
                _recent.RemoveLast();
                _byAccount.Remove(oldest.Value.Account);
            }

            var chain = new SimulatedChain(SimulatedChain.IdOf(account), new SimulatedLog(db, account, time));
            _byAccount.Add(account, _recent.AddFirst((account, chain)));
            return chain;
        }
    }

    /// <summary>The chain of a test account, for the follower. It is a family of its own and begins with an empty genesis block.</summary>
    public FollowedChain Followed(AccountId account)
    {
        var chain = Of(account);
        return new FollowedChain(chain, Family: chain.Id, Start: 0,
            transfer => currencies.TryFind(transfer.Asset, out var currency) ? currency : null)
        {
            Assets = [.. currencies.All.Select(currency => (currency, (string?)currency.Code))],
        };
    }

    /// <summary>The chain of a test account, for the worker that pays. Nobody signs there, and what is lost is sent again at once.</summary>
    public PayingChain Paying(AccountId account)
    {
        var chain = Of(account);
        return new PayingChain
        {
            Chain = chain,
            Payouts = new SimulatedPayouts(chain, code => currencies.Find(code).Contract is null ? TransferKind.Native : TransferKind.Token),
            Signer = (request, _) => Task.FromResult(new SigningAnswer(new SignedPayout(SimulatedTransaction.Id(request.Unsigned), request.Unsigned), null)),
            Assets = currencies.All.ToDictionary(currency => currency.Code, currency => (currency, (string?)currency.Code)),
            FeeMax = 0,
            InFlightMax = InFlightMax,
            BumpAfter = TimeSpan.MaxValue,
            SendAgainAfter = TimeSpan.Zero,
        };
    }
}
