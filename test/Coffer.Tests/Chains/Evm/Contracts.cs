using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Coffer.Chains.Keys;

namespace Coffer.Tests.Chains.Evm;

/// <summary>Tokens.sol in test/node, compiled once per run: creation code by name.</summary>
internal static class Contracts
{
    private static readonly SemaphoreSlim _compiling = new(1);
    private static IReadOnlyDictionary<string, string>? _all;

    public static async Task<IReadOnlyDictionary<string, string>> Compiled(NodeFolder folder)
    {
        await _compiling.WaitAsync();
        try
        {
            return _all ??= JsonSerializer.Deserialize<Dictionary<string, string>>(await folder.Run("contracts.mjs"))!;
        }
        finally
        {
            _compiling.Release();
        }
    }
}

/// <summary>Calls of contracts, for arguments that are one word each.</summary>
internal static class Abi
{
    /// <summary>Call data, e.g. of <c>transfer(address,uint256)</c>; an address is text, a number is a number.</summary>
    public static string Call(string signature, params object[] arguments) => "0x"
        + Convert.ToHexStringLower(Keccak256.Hash(Encoding.ASCII.GetBytes(signature)))[..8]
        + string.Concat(arguments.Select(one => one is string address ? address[2..].ToLowerInvariant().PadLeft(64, '0')
            : Word(BigInteger.Parse(Convert.ToString(one, CultureInfo.InvariantCulture)!, CultureInfo.InvariantCulture))));

    public static string Word(BigInteger number) => number.ToString("x64", CultureInfo.InvariantCulture)[^64..];
}
