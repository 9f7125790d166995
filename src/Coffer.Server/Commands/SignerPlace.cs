using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Coffer.Chains.Keys;
using Coffer.Server.Host;
using Coffer.Server.Signer;

namespace Coffer.Server.Commands;

/// <summary>The options that say where a signer's keystore is and what opens it; each command has its own set of them.</summary>
internal sealed class SignerPlace
{
    private const string FolderName = "coffer-signer";

    private readonly Option<string> keystore = Texts.Option("--keystore", "FILE", $"The keystore ({Usual("keystore.json")})");
    private readonly Option<string> passphraseFile = Texts.Option("--passphrase-file", "FILE", "File with the passphrase (asked for)");
    private readonly Option<string> keystoreKey = Texts.Option("--keystore-key", "FILE", "File of 32 bytes that opens it instead of a passphrase");

    private SignerPlace()
    {
    }

    /// <summary>Adds the options to a command.</summary>
    public static SignerPlace AddTo(Command command)
    {
        var place = new SignerPlace();
        foreach (var option in (Option[])[place.keystore, place.passphraseFile, place.keystoreKey])
            command.Options.Add(option);
        return place;
    }

    /// <summary>The environment variables, for the help.</summary>
    public const string Variables = "COFFER_SIGNER_KEYSTORE, COFFER_SIGNER_PASSPHRASE_FILE, COFFER_SIGNER_KEYSTORE_KEY";

    /// <summary>A file of the signer where nothing else is said.</summary>
    public static string Usual(string file)
    {
        var own = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return Path.Combine(own.Length > 0 ? own : "/var/lib", FolderName, file);
    }

    /// <summary>The keystore that was named; null: none was.</summary>
    public string? Named(ParseResult parsed) => Texts.Given(parsed, keystore, "COFFER_SIGNER_KEYSTORE");

    /// <summary>The keystore's file.</summary>
    public string File(ParseResult parsed) => Named(parsed) ?? Usual("keystore.json");

    /// <summary>What opens a keystore, from a file or the terminal.</summary>
    /// <exception cref="Misuse">Nothing was given and there is nobody to ask, or a new passphrase is too short.</exception>
    public KeystoreLock Opener(ParseResult parsed, bool wantsPassphrase, bool isNew)
    {
        var phrase = Texts.Given(parsed, passphraseFile, "COFFER_SIGNER_PASSPHRASE_FILE");
        var key = Texts.Given(parsed, keystoreKey, "COFFER_SIGNER_KEYSTORE_KEY");
        if (phrase is not null && key is not null)
            throw new Misuse("Give --passphrase-file (COFFER_SIGNER_PASSPHRASE_FILE) or --keystore-key (COFFER_SIGNER_KEYSTORE_KEY), not both.");
        if (key is not null)
        {
            var bytes = Secrets.Read(key, "key file");
            return bytes.Length == KeystoreLock.KeyBytes ? new KeystoreLock(bytes, false) : throw new SetupFailure(
                $"The key file {key} must have exactly {KeystoreLock.KeyBytes} bytes; make one with: head -c 32 /dev/urandom > FILE");
        }

        if (phrase is null && !wantsPassphrase)
            throw new Misuse("This keystore opens with a key file: name it with --keystore-key (COFFER_SIGNER_KEYSTORE_KEY).");
        var opener = new KeystoreLock(phrase is not null ? Secrets.ReadText(phrase, "passphrase file") : AskTwice(isNew), true);
        return !isNew || Encoding.UTF8.GetCharCount(opener.Secret.Span) >= KeystoreLock.PassphraseMin ? opener : throw new Misuse(
            $"The passphrase must have at least {KeystoreLock.PassphraseMin} characters; several words are easier to keep than few signs.");
    }

    private static SecretBytes AskTwice(bool isNew)
    {
        if (Console.IsInputRedirected)
            throw new Misuse("There is no terminal to ask for the passphrase: name a file with --passphrase-file (COFFER_SIGNER_PASSPHRASE_FILE).");
        var first = Ask(isNew ? "New passphrase of the keystore: " : "Passphrase of the keystore: ");
        if (!isNew)
            return first;
        using var again = Ask("The same again: ");
        if (CryptographicOperations.FixedTimeEquals(first.Span, again.Span))
            return first;
        first.Dispose();
        throw new Misuse("The two passphrases are not the same; nothing was made.");
    }

    // Shown nowhere; the prompt goes to the error stream, so that --json stays alone on the output.
    private static SecretBytes Ask(string prompt)
    {
        const int charactersMax = 1_000;
        Console.Error.Write(prompt);
        Span<char> text = stackalloc char[charactersMax];
        var length = 0;
        for (var key = Console.ReadKey(intercept: true); key.Key != ConsoleKey.Enter; key = Console.ReadKey(intercept: true))
        {
            if (key.Key == ConsoleKey.Backspace)
                length = Math.Max(0, length - 1);
            else if (!char.IsControl(key.KeyChar) && length < charactersMax)
                text[length++] = key.KeyChar;
        }

        Console.Error.WriteLine();
        var bytes = new SecretBytes(Encoding.UTF8.GetByteCount(text[..length]));
        Encoding.UTF8.GetBytes(text[..length], bytes.Span);
        text.Clear();
        return bytes;
    }
}
