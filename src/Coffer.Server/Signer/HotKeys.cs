using Coffer.Chains;
using Coffer.Chains.Keys;
using Coffer.Server.Host;

namespace Coffer.Server.Signer;

/// <summary>
/// The keys of the chains, from those of the keystore. Of a seed: m/44'/60'/0'/0/0 (EVM), m/44'/195'/0'/0/0 (Tron), the account
/// m/84'/0'/0' (Bitcoin) or m/84'/1'/0' (its test networks), as usual wallets derive them.
/// </summary>
internal static class HotKeys
{
    private const uint H = ExtendedPrivateKey.Hardened;

    /// <summary>Whether a key of the keystore can sign for a kind of chain.</summary>
    public static bool Fits(StoredKey key, ChainKind kind) => key.Kind == StoredKind.Seed || key.Kind == kind switch
    {
        ChainKind.Bitcoin => StoredKind.Bitcoin,
        ChainKind.Tron => StoredKind.Tron,
        _ => StoredKind.Evm,
    };

    /// <summary>The key of a chain.</summary>
    /// <exception cref="SetupFailure">The keystore has none, or several and the signer's file does not say which.</exception>
    public static HotKey For(SignerChain chain, IReadOnlyList<StoredKey> stored, SecretKeys keys)
    {
        StoredKey[] fitting = [.. stored.Where(key => Fits(key, chain.Kind) && (chain.Key is null || key.Name == chain.Key))];
        return fitting switch
        {
            [var only] => Of(only, chain.Kind, chain.Network, keys),
            [] => throw new SetupFailure(chain.Key is null
                ? $"The keystore has no key for {chain.Id}: bring one in with `coffer signer import`."
                : $"The keystore has no key {chain.Key} that can sign for {chain.Id}: see `coffer signer address`."),
            _ => throw new SetupFailure($"The keystore has several keys for {chain.Id}: name one of {string.Join(", ", fitting.Select(key => key.Name))} "
                + $"as \"key\" of {chain.Id} in the signer's file."),
        };
    }

    /// <summary>The key that a secret of the keystore is on a kind of chain.</summary>
    public static HotKey Of(StoredKey stored, ChainKind kind, BitcoinNetwork? network, SecretKeys keys)
    {
        try
        {
            return kind switch
            {
                ChainKind.Evm => new EvmHotKey(Secret(stored, 60, keys), keys),
                ChainKind.Tron => new TronHotKey(Secret(stored, 195, keys), keys),
                _ => new BitcoinHotKey(Account(stored, network!, keys), network!, keys),
            };
        }
        catch (KeyFault fault)
        {
            throw new SetupFailure($"The key {stored.Name} cannot be used: {fault.Message}");
        }
    }

    private static SecretBytes Secret(StoredKey stored, uint coin, SecretKeys keys)
    {
        if (stored.Kind != StoredKind.Seed)
            return new SecretBytes(stored.Secret.Span);
        using var master = ExtendedPrivateKey.FromSeed(stored.Secret.Span, keys);
        using var key = master.Descendant(44 | H, coin | H, H, 0, 0);
        return new SecretBytes(key.Secret);
    }

    private static ExtendedPrivateKey Account(StoredKey stored, BitcoinNetwork network, SecretKeys keys)
    {
        if (stored.Kind != StoredKind.Seed)
        {
            var account = ExtendedPrivateKey.Read(stored.Secret.Span, keys);
            if (account.Prefix.IsTest == (network != BitcoinNetwork.Main))
                return account;
            account.Dispose();
            throw new KeyFault($"It is a key for {(network == BitcoinNetwork.Main ? "test networks" : "the main network")}.");
        }

        using var master = ExtendedPrivateKey.FromSeed(stored.Secret.Span, keys);
        return master.Descendant(84 | H, (network == BitcoinNetwork.Main ? 0u : 1u) | H, H);
    }
}
