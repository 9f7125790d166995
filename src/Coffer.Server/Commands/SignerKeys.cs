using System.CommandLine;
using System.Security.Cryptography;
using Coffer.Chains;
using Coffer.Chains.Keys;
using Coffer.Server.Host;
using Coffer.Server.Signer;

namespace Coffer.Server.Commands;

/// <summary>An open keystore and what computes with it. All secrets are zeroed at the end.</summary>
internal sealed class SignerKeys : IDisposable
{
    private SignerKeys(List<StoredKey> stored)
    {
        Stored = stored;
        Span<byte> random = stackalloc byte[SecretKeys.RandomBytes];
        RandomNumberGenerator.Fill(random);
        try
        {
            Curve = new SecretKeys(random);
        }
        catch (KeyFault fault)
        {
            throw new SetupFailure(fault.Message);
        }
    }

    /// <summary>The secrets under their names.</summary>
    public List<StoredKey> Stored { get; }

    public SecretKeys Curve { get; }

    /// <summary>A new keystore's secrets: the log's key, and a seed if it is wanted.</summary>
    public static SignerKeys Make(bool seed)
    {
        var keys = new SignerKeys([Random(StoredKey.LogName, StoredKind.Log)]);
        if (seed)
            keys.Stored.Add(Random("main", StoredKind.Seed));
        return keys;
    }

    /// <summary>Opens the keystore of a file.</summary>
    public static SignerKeys Open(ParseResult parsed, SignerPlace place, string file)
    {
        using var opener = place.Opener(parsed, Keystore.WantsPassphrase(file), isNew: false);
        return Open(file, opener);
    }

    /// <summary>Opens the keystore of a file.</summary>
    public static SignerKeys Open(string file, KeystoreLock opener) => new(Keystore.Read(file, opener));

    /// <summary>What each secret is on each kind of chain.</summary>
    public IEnumerable<SignerKeyLine> Lines()
    {
        foreach (var stored in Stored.Where(key => key.Kind != StoredKind.Log))
        {
            foreach (var (kind, network) in Kinds(stored))
            {
                using var key = HotKeys.Of(stored, kind, network, Curve);
                yield return new SignerKeyLine(stored.Name, kind.ToString().ToLowerInvariant(), network?.Word, key.Address,
                    key.Xpub is { } xpub ? new SignerHot(null, xpub) : new SignerHot(key.Address, null));
            }
        }
    }

    public void Dispose()
    {
        foreach (var key in Stored)
            key.Dispose();
        Curve.Dispose();
    }

    private IEnumerable<(ChainKind, BitcoinNetwork?)> Kinds(StoredKey stored)
    {
        if (HotKeys.Fits(stored, ChainKind.Evm))
            yield return (ChainKind.Evm, null);
        if (HotKeys.Fits(stored, ChainKind.Tron))
            yield return (ChainKind.Tron, null);
        if (!HotKeys.Fits(stored, ChainKind.Bitcoin))
            yield break;
        var isTest = false;
        if (stored.Kind == StoredKind.Bitcoin)
        {
            using var account = ExtendedPrivateKey.Read(stored.Secret.Span, Curve);
            isTest = account.Prefix.IsTest;
        }

        if (stored.Kind == StoredKind.Seed || !isTest)
            yield return (ChainKind.Bitcoin, BitcoinNetwork.Main);
        if (stored.Kind == StoredKind.Seed || isTest)
            yield return (ChainKind.Bitcoin, BitcoinNetwork.Test);
    }

    private static StoredKey Random(string name, StoredKind kind)
    {
        const int bytes = 32;
        var secret = new SecretBytes(bytes);
        RandomNumberGenerator.Fill(secret.Span);
        return new StoredKey(name, kind, secret);
    }
}

/// <summary>One key on one kind of chain, as <c>coffer signer address</c> shows it.</summary>
/// <param name="Key">Its name in the keystore.</param>
/// <param name="Kind"><c>evm</c>, <c>tron</c>, <c>bitcoin</c>.</param>
/// <param name="BitcoinNetwork"><c>main</c>, or <c>test</c> which regtest shares.</param>
/// <param name="Address">Where the hot wallet is funded; on regtest the same key is spelled otherwise.</param>
/// <param name="Hot">What the member <c>hot</c> of the server's chains file says of it.</param>
internal sealed record SignerKeyLine(string Key, string Kind, string? BitcoinNetwork, string Address, SignerHot Hot);

/// <summary>Whose coins a hot wallet is.</summary>
internal sealed record SignerHot(
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)] string? Address,
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)] string? Xpub)
{
    public override string ToString() => Xpub is not null ? $"\"xpub\": \"{Xpub}\"" : $"\"address\": \"{Address}\"";
}
