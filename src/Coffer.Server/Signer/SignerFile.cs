using Coffer.Chains;
using Coffer.Chains.Keys;

namespace Coffer.Server.Signer;

/// <summary>What the operator allows his signer, as its file says; <see cref="SignerFileReader"/> reads it. No key and no secret is in it.</summary>
internal sealed record SignerFile
{
    /// <summary>Where it listens: <c>unix:PATH</c>, or <c>http://</c> on loopback.</summary>
    public required string Listen { get; init; }

    /// <summary>The file with the secret that callers must know.</summary>
    public required string SecretFile { get; init; }

    /// <summary>The append-only file of what was signed and refused.</summary>
    public required string Log { get; init; }

    /// <summary>The file of the keys.</summary>
    public required string Keystore { get; init; }

    /// <summary>The chains, and the bounds on each.</summary>
    public required IReadOnlyList<SignerChain> Chains { get; init; }
}

/// <summary>One chain that the signer signs for. Amounts are in smallest units.</summary>
internal sealed record SignerChain
{
    /// <summary>What may be spent on fees on one day when nothing else is said: so many transactions at the cap.</summary>
    public const int FeesPerDayUsual = 1_000;

    /// <summary>The key of <see cref="Assets"/> that stands for the chain's own coin.</summary>
    public const string Coin = "coin";

    /// <summary>The chain's name, as in the server's chains file.</summary>
    public required string Id { get; init; }

    public required ChainKind Kind { get; init; }

    /// <summary>EVM: the number that every transaction must carry.</summary>
    public long? ChainId { get; init; }

    /// <summary>Bitcoin: which network; null elsewhere.</summary>
    public BitcoinNetwork? Network { get; init; }

    /// <summary>The key of the keystore; null: the only one that can sign for it.</summary>
    public string? Key { get; init; }

    /// <summary>The most that one transaction may cost.</summary>
    public required Int128 FeeMax { get; init; }

    /// <summary>The most that the transactions of one day (UTC) may cost together.</summary>
    public required Int128 FeePerDay { get; init; }

    /// <summary>By <see cref="Coin"/> or contract in its one spelling: what may leave. Nothing else is ever paid.</summary>
    public required IReadOnlyDictionary<string, AssetLimit> Assets { get; init; }

    /// <summary>Who may be paid; null: anybody.</summary>
    public IReadOnlySet<string>? Allow { get; init; }

    /// <summary>The one spelling of an address of this chain; null for a text that is none.</summary>
    public string? Address(string text) => Kind switch
    {
        ChainKind.Bitcoin => BitcoinAddress.Read(text, Network!),
        ChainKind.Tron => TronAddress.Read(text),
        _ => EvmAddress.Read(text),
    };
}

/// <summary>How much of one asset may leave, in smallest units.</summary>
internal sealed record AssetLimit(int Decimals, Int128 PerTransaction, Int128 PerDay);
