using System.Reflection;
using System.Runtime.InteropServices;

namespace Coffer.Chains.Keys;

/// <summary>
/// The library libsecp256k1 of Bitcoin Core, by P/Invoke. An illegal argument ends the whole process there, so everything that calls it
/// (<see cref="PublicKeys"/>, <see cref="SecretKeys"/>) checks lengths before each call, and every return value after it.
/// </summary>
public static partial class Secp256k1
{
    /// <summary>The length of a compressed public key, in bytes.</summary>
    public const int CompressedBytes = 33;

    /// <summary>The length of an uncompressed public key, in bytes.</summary>
    public const int UncompressedBytes = 65;

    /// <summary>The length of a secret key, of a tweak and of a message hash, in bytes.</summary>
    public const int ScalarBytes = 32;

    /// <summary>The length of a signature (r and s), in bytes.</summary>
    public const int SignatureBytes = 64;

    /// <summary>The length of the opaque public key of the library, in bytes.</summary>
    internal const int PointBytes = 64;

    /// <summary>The length of the opaque recoverable signature of the library, in bytes.</summary>
    internal const int RecoverableBytes = 65;

    /// <summary>The library's flag for a compressed key (SECP256K1_EC_COMPRESSED).</summary>
    internal const uint Compressed = 258;

    /// <summary>The library's flag for an uncompressed key (SECP256K1_EC_UNCOMPRESSED).</summary>
    internal const uint Uncompressed = 2;

    private const string Name = "libsecp256k1";

    // What is called here is the same in all of them; .so.0 has no self-test.
    private static readonly string[] Files = ["libsecp256k1.so.1", "libsecp256k1.so.2", "libsecp256k1.so.5", "libsecp256k1.so.6"];

    // SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY: all that any version may ask for.
    private const uint ContextFlags = 0x0301;

    private static readonly Lazy<nint> Library = new(Open);
    private static readonly Lazy<nint> SharedContext = new(NewContext);

    /// <summary>A context for what involves no secret: any number of threads may use it, nothing changes it.</summary>
    internal static nint Context => SharedContext.Value;

    /// <summary>Makes sure that the library is there and works. A <see cref="KeyFault"/> names the package that is missing.</summary>
    public static void Load() => _ = Context;

    /// <summary>A context of the caller's own.</summary>
    internal static nint NewContext()
    {
        _ = Library.Value;
        var context = secp256k1_context_create(ContextFlags);
        return context != 0 ? context : throw new KeyFault("libsecp256k1 could not make a context: the machine is out of memory.");
    }

    /// <summary>Throws unless a buffer has exactly the length that the library will read or write.</summary>
    internal static void MustHave(int length, int expected) => ArgumentOutOfRangeException.ThrowIfNotEqual(length, expected);

    private static nint Open()
    {
        nint library = 0;
        if (!Files.Any(file => NativeLibrary.TryLoad(file, typeof(Secp256k1).Assembly, null, out library)))
            throw new KeyFault("The library libsecp256k1 is missing, without which no address can be made: install the Debian package "
                + "libsecp256k1-1.");
        NativeLibrary.SetDllImportResolver(typeof(Secp256k1).Assembly, Resolve);
        // A build that computes wrongly on this machine would lose money: the library's own self-test ends the process then.
        secp256k1_selftest();
        return library;

        nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == Name ? library : 0;
    }
}
