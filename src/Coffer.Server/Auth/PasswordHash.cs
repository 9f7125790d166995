using System.Security.Cryptography;
using System.Text;
using Coffer.Server.Host;

namespace Coffer.Server.Auth;

/// <summary>A password as it is stored: PBKDF2 with SHA-256, its salt, and how many rounds that took.</summary>
internal sealed record PasswordHash(byte[] Hash, byte[] Salt, int Rounds)
{
    /// <summary>Least characters of a password.</summary>
    public const int LengthMin = 12;

    /// <summary>Most characters of a password; a longer one would only cost time.</summary>
    public const int LengthMax = 256;

    /// <summary>Rounds of a new hash (OWASP's figure for SHA-256); older ones are hashed anew when their owner signs in.</summary>
    public const int RoundsNow = 600_000;

    private const int Bytes = 32;
    private const int SaltBytes = 16;

    // Words that lists of leaked passwords are full of; with digits or signs around them they are on the lists too.
    private static readonly string[] _common =
        ["password", "passwort", "qwerty", "qwertz", "letmein", "welcome", "iloveyou", "admin", "football", "monkey", "dragon", "abc", "coffer"];

    /// <summary>A password that is made for somebody: 100 random bits, in letters that are not mistaken for each other.</summary>
    public static string New(RandomBytes random)
    {
        const string letters = "abcdefghijkmnpqrstuvwxyz23456789";
        Span<byte> bytes = stackalloc byte[20];
        random(bytes);
        var text = new StringBuilder();
        for (var i = 0; i < bytes.Length; i++)
            text.Append(i > 0 && i % 5 == 0 ? "-" : "").Append(letters[bytes[i] % letters.Length]);
        return text.ToString();
    }

    /// <summary>Hashes a password; takes a good tenth of a second, on purpose.</summary>
    public static PasswordHash Of(string password, RandomBytes random)
    {
        var salt = new byte[SaltBytes];
        random(salt);
        return new PasswordHash(Derive(password, salt, RoundsNow), salt, RoundsNow);
    }

    /// <summary>What is wrong with a new password, as a sentence; null when nothing is.</summary>
    public static string? Fault(string password, string user)
    {
        if (password.Length is < LengthMin or > LengthMax)
            return $"A password has {LengthMin} to {LengthMax} characters.";
        var letters = password.ToLowerInvariant();
        if (letters.Distinct().Count() < 5 || IsRow(letters))
            return "This password is one of the first that anybody would try; choose another.";
        foreach (var word in _common.Append(user))
            letters = letters.Replace(word, "", StringComparison.Ordinal);
        return letters.Count(c => !char.IsAsciiDigit(c)) < LengthMin / 2 && letters.Length < LengthMin
            ? "This password is made of what anybody would try first; choose another." : null;
    }

    /// <summary>Whether this is the password. Takes as long for a wrong one.</summary>
    public bool Matches(string password) => CryptographicOperations.FixedTimeEquals(Derive(password, Salt, Rounds), Hash);

    /// <summary>Every character follows the one before it: 123456789012, abcdefghijkl.</summary>
    private static bool IsRow(string text) => text.Zip(text[1..]).All(pair => pair.Second - pair.First is 1 or -1 or -9 or 9);

    private static byte[] Derive(string password, byte[] salt, int rounds) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, rounds, HashAlgorithmName.SHA256, Bytes);
}
