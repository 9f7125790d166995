using Coffer.Chains.Keys;
using Coffer.Chains.Payouts;
using Coffer.Server.Host;

namespace Coffer.Server.Signer;

/// <summary>
/// The signer's one operation. Called by <see cref="SignerApi"/> for every request, one at a time. It trusts nothing but its own file, its
/// own log and the bytes: what they do is read from them again. Guarantees: what leaves was checked, is signed by the chain's key, and
/// is on the disk; a withdrawal is never signed twice so that both could be mined; the same request gets the same bytes.
/// If the process dies before the line is on the disk, nothing has left; after it, the same request gets the bytes of the line.
/// </summary>
internal sealed class SignPayout : IDisposable
{
    private const int RefusedMax = 10_000, ShownBytes = 4_096;

    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly Dictionary<string, (SignerChain Chain, HotKey Key)> chains;
    private readonly SignerLog log;
    private readonly SignerMemory memory;

    // Refusals that are in the log for today: a server that asks again and again must not fill the disk.
    private readonly HashSet<string> refused = [];
    private DateOnly refusedOn;

    private SignPayout(Dictionary<string, (SignerChain, HotKey)> chains, SignerLog log, SignerMemory memory) =>
        (this.chains, this.log, this.memory) = (chains, log, memory);

    /// <summary>The chains with their keys.</summary>
    public IReadOnlyCollection<(SignerChain Chain, HotKey Key)> Chains => chains.Values;

    /// <summary>What was cut off the log at the start, in bytes.</summary>
    public long CutBytes => log.CutBytes;

    /// <summary>Opens the log, proves it and remembers what is in it.</summary>
    /// <exception cref="SetupFailure">A key is missing, or the log is not as it was.</exception>
    public static SignPayout Start(SignerFile file, IReadOnlyList<StoredKey> stored, SecretKeys keys, TimeProvider time)
    {
        var chains = file.Chains.ToDictionary(chain => chain.Id, chain => (chain, HotKeys.For(chain, stored, keys)));
        var memory = new SignerMemory();
        var log = SignerLog.Continue(file.Log, stored.Single(key => key.Kind == StoredKind.Log).Secret, time, (line, at, place) =>
        {
            if (line.GetProperty("event").GetString() == SignedEntry.Event)
                memory.Add(SignedEntry.Read(line), at, place);
        });
        return new SignPayout(chains, log, memory);
    }

    /// <summary>Signs, or says why not.</summary>
    /// <exception cref="LogFault">The log cannot be written: nothing was signed, and nothing will be.</exception>
    public async Task<(SignedPayout? Signed, SigningRefusal? Refusal)> Run(SigningRequest request, CancellationToken ct)
    {
        await gate.WaitAsync(ct);
        try
        {
            var fingerprint = SignedEntry.Fingerprint(request);
            return memory.Answer(fingerprint) is { } place ? (Earlier(place), null) : Decide(request, fingerprint);
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose()
    {
        log.Dispose();
        foreach (var (_, key) in chains.Values)
            key.Dispose();
        gate.Dispose();
    }

    private SignedPayout Earlier((long At, int Length) place)
    {
        var entry = SignedEntry.Read(log.Line(place));
        return new SignedPayout(entry.TxId, entry.Signed);
    }

    private (SignedPayout?, SigningRefusal?) Decide(SigningRequest request, string fingerprint)
    {
        if (!chains.TryGetValue(request.Chain, out var chain))
            return Refuse(request, new SigningRefusal(SigningRefusalCode.UnknownChain, $"The signer's file does not list the chain {request.Chain}."));
        request = Spelled(request, chain.Chain);
        SignedEntry entry;
        SignedPayout signed;
        try
        {
            var reading = chain.Key.Read(request.Unsigned);
            if (reading.From is { } from && from != chain.Key.Address)
                return Refuse(request, new SigningRefusal(SigningRefusalCode.UnknownKey,
                    $"The bytes spend from {from}, and the signer's key on {request.Chain} is that of {chain.Key.Address}."));
            entry = SignedEntry.Of(request, chain.Key.From, reading, new SignedPayout("", [])) with { Request = fingerprint };
            if (CheckPayout.WhyNot(request, chain.Chain, reading, entry, memory, log.Now()) is { } why)
                return Refuse(request, why);
            signed = chain.Key.Sign(request.Unsigned);
        }
        catch (KeyFault fault)
        {
            return Refuse(request, new SigningRefusal(SigningRefusalCode.NotAPayment, fault.Message));
        }

        entry = entry with { TxId = signed.TxId, Signed = signed.Bytes };
        var place = log.Append(SignedEntry.Event, entry.Write);
        memory.Add(entry, log.LastAt, place);
        return (signed, null);
    }

    private (SignedPayout?, SigningRefusal?) Refuse(SigningRequest request, SigningRefusal why)
    {
        var today = DateOnly.FromDateTime(log.Now().UtcDateTime);
        if (refusedOn != today || refused.Count > RefusedMax)
            refused.Clear();
        refusedOn = today;
        if (!refused.Add($"{SignedEntry.Fingerprint(request)} {why.Word}"))
            return (null, why);
        log.Append("refused", json =>
        {
            json.WriteString("code"u8, why.Word);
            json.WriteString("message"u8, why.Message);
            json.WriteString("payout"u8, request.Payout);
            json.WriteString("chain"u8, request.Chain);
            json.WriteStartArray("withdrawals"u8);
            foreach (var one in request.Withdrawals)
                one.Write(json);
            json.WriteEndArray();
            json.WriteString("unsigned"u8, Convert.ToHexStringLower(request.Unsigned.AsSpan(0, Math.Min(request.Unsigned.Length, ShownBytes))));
        });
        return (null, why);
    }

    // In the one spelling that bytes are read in; what is no address at all stays as it is, and is found in no bytes.
    private static SigningRequest Spelled(SigningRequest request, SignerChain chain) => request with
    {
        Withdrawals =
        [
            .. request.Withdrawals.Select(one => one with
            {
                Output = one.Output with
                {
                    Address = chain.Address(one.Output.Address) ?? one.Output.Address,
                    Asset = one.Output.Asset is { } asset ? chain.Address(asset) ?? asset : null,
                },
            }),
        ],
    };
}
