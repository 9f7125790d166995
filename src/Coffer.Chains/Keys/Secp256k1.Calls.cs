using System.Runtime.InteropServices;

namespace Coffer.Chains.Keys;

// The calls themselves, named as in secp256k1.h and secp256k1_recovery.h. Each `ref byte` is the first byte of a buffer whose length the
// caller has checked; each int is 1 for yes and 0 for no.
public static partial class Secp256k1
{
    [DllImport(Name)]
    private static extern void secp256k1_selftest();

    [DllImport(Name)]
    private static extern nint secp256k1_context_create(uint flags);

    [DllImport(Name)]
    internal static extern void secp256k1_context_destroy(nint context);

    [DllImport(Name)]
    internal static extern int secp256k1_context_randomize(nint context, ref readonly byte seed32);

    [DllImport(Name)]
    internal static extern int secp256k1_ec_pubkey_parse(nint context, ref byte point, ref readonly byte input, nuint inputLength);

    [DllImport(Name)]
    internal static extern int secp256k1_ec_pubkey_serialize(
        nint context, ref byte output, ref nuint outputLength, ref readonly byte point, uint flags);

    [DllImport(Name)]
    internal static extern int secp256k1_ec_pubkey_tweak_add(nint context, ref byte point, ref readonly byte tweak32);

    [DllImport(Name)]
    internal static extern int secp256k1_ec_pubkey_create(nint context, ref byte point, ref readonly byte secret32);

    [DllImport(Name)]
    internal static extern int secp256k1_ec_seckey_verify(nint context, ref readonly byte secret32);

    [DllImport(Name)]
    internal static extern int secp256k1_ec_seckey_tweak_add(nint context, ref byte secret32, ref readonly byte tweak32);

    [DllImport(Name)]
    internal static extern int secp256k1_ecdsa_sign_recoverable(
        nint context, ref byte signature, ref readonly byte hash32, ref readonly byte secret32, nint nonceFunction, nint nonceValue);

    [DllImport(Name)]
    internal static extern int secp256k1_ecdsa_recoverable_signature_serialize_compact(
        nint context, ref byte output64, ref int recoveryId, ref readonly byte signature);

    [DllImport(Name)]
    internal static extern int secp256k1_ecdsa_recoverable_signature_parse_compact(
        nint context, ref byte signature, ref readonly byte input64, int recoveryId);

    [DllImport(Name)]
    internal static extern int secp256k1_ecdsa_recover(nint context, ref byte point, ref readonly byte signature, ref readonly byte hash32);
}
