using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Coffer.Chains.Bitcoin;
using Coffer.Chains.Keys;

namespace Coffer.Tests.Chains.Bitcoin;

/// <summary>
/// A hot wallet's account key for regtest: m/84'/0'/0' of the words "abandon ... about" (the vectors of BIP84), spelled for test networks.
/// </summary>
internal static class HotKeys
{
    private const string Public = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs";
    private const uint TestPublic = 0x045f1cf6;

    public static string Xpub { get; } = Spelled(Public, TestPublic);

    private const string Private = "zprvAdG4iTXWBoARxkkzNpNh8r6Qag3irQB8PzEMkAFeTRXxHpbF9z4QgEvBRmfvqWvGp42t42nvgGpNgYSJA9iefm1yYNZKEm7z6qUWCroSQnE";

    public static HotAddresses Addresses { get; } = new(Xpub, BitcoinNetwork.Regtest);

    /// <summary>The account's private key, as any wallet takes it.</summary>
    public static string Xprv { get; } = Spelled(Private, 0x0488ade4);

    /// <summary>Signs as the signer does.</summary>
    public static void Sign(string path, ReadOnlySpan<byte> hash, Span<byte> signature)
    {
        using var keys = new SecretKeys(new byte[SecretKeys.RandomBytes]);
        var account = Base58Check.Decode(Private)!;
        byte[] code = account[13..45], secret = account[46..78];
        foreach (var step in path.Split('/'))
        {
            byte[] message = [.. keys.PublicKey(secret), .. new byte[4]];
            BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(33), uint.Parse(step, CultureInfo.InvariantCulture));
            var mac = HMACSHA512.HashData(code, message);
            Assert.True(keys.AddTweak(secret, mac.AsSpan(0, 32)));
            code = mac[32..];
        }

        keys.Sign(hash, secret, keys.PublicKey(secret), signature);
    }

    private static string Spelled(string key, uint version)
    {
        var bytes = Base58Check.Decode(key)!;
        BinaryPrimitives.WriteUInt32BigEndian(bytes, version);
        return Base58Check.Encode(bytes);
    }
}
