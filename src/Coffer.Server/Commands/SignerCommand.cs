using System.CommandLine;
using System.Security.Cryptography;
using Coffer.Chains.Keys;
using Coffer.Server.Host;
using Coffer.Server.Signer;

namespace Coffer.Server.Commands;

/// <summary><c>coffer signer init|import|address</c>; <see cref="SignerServeCommand"/> is the process itself. None needs a database.</summary>
internal static class SignerCommand
{
    public static Command Make() => new("signer", "The process that holds the hot wallets' keys and signs withdrawals")
    {
        Init(), Import(), Address(), SignerServeCommand.Make(),
    };

    private static Command Init()
    {
        var command = new Documented("init", "Make a keystore with new keys", $"""
            Examples:
              coffer signer init --keystore /var/lib/coffer-signer/keystore.json
              coffer signer init --passphrase-file /run/secrets/passphrase --json
              coffer signer init --no-seed                     only room for keys that `coffer signer import` brings in

            Environment: {SignerPlace.Variables}

            Beside the keystore it makes `secret`, which the server must know to have anything signed, and the empty log `signer.log`.
            The keys exist nowhere else: copy the keystore to a safe place, and the passphrase to another.
            """);
        var noSeed = new Option<bool>("--no-seed") { Description = "Make no key" };
        var place = SignerPlace.AddTo(command);
        var json = Output.Option();
        command.Options.Add(noSeed);
        command.Options.Add(json);
        command.SetAction(parsed =>
        {
            var file = Path.GetFullPath(place.File(parsed));
            if (File.Exists(file))
                throw new SetupFailure($"There is a keystore {file} already; its keys may hold money, so it is not touched.");
            var folder = Path.GetDirectoryName(file)!;
            var (secret, log) = (Path.Combine(folder, "secret"), Path.Combine(folder, "signer.log"));
            if (File.Exists(log))
                throw new SetupFailure($"There is a log {log} of another keystore: move it away first.");
            using var opener = place.Opener(parsed, wantsPassphrase: true, isNew: true);
            if (!Directory.Exists(folder))
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            using var keys = SignerKeys.Make(!parsed.GetValue(noSeed));
            SignerKeyLine[] lines = [.. keys.Lines()];
            Secrets.MakeShared(secret, RandomNumberGenerator.Fill);
            SignerLog.Begin(log, keys.Stored.Single(key => key.Kind == StoredKind.Log).Secret, TimeProvider.System).Dispose();
            Keystore.Write(file, keys.Stored, opener, RandomNumberGenerator.Fill);
            Output.Of(parsed, json).Write(new { keystore = file, secret_file = secret, log, keys = lines },
            [
                $"Keystore {file} made. Copy it to a safe place, and what opens it to another.", .. lines.Select(Line),
                $"Next: write {Path.Combine(folder, "signer.json")} with the chains and their limits (README.md, Signer), then `coffer signer serve`.",
            ]);
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Import()
    {
        var command = new Documented("import", "Bring a key into the keystore", $"""
            Examples:
              coffer signer import --family evm --key-file old-hot-wallet.hex
              coffer signer import --family bitcoin --key-file account.xprv --name cold-2024

            Environment: {SignerPlace.Variables}

            EVM and Tron: the file has the secret key in 64 hex digits. Bitcoin: the account's extended private key (zprv, xprv; vprv, tprv
            for test networks), at depth 3. Delete the file afterwards. A signer that runs sees the key after its next start.
            """);
        var family = Texts.Option("--family", "evm|tron|bitcoin", "What the key is for", required: true).AcceptOnly("evm", "tron", "bitcoin");
        var keyFile = Texts.Option("--key-file", "FILE", "File with the key; its owner alone may read it", required: true);
        var name = Texts.Option("--name", "NAME", "What the key is called, 1 to 40 of a-z, 0-9 and - (the family)");
        var place = SignerPlace.AddTo(command);
        var json = Output.Option();
        foreach (var option in (Option[])[family, keyFile, name, json])
            command.Options.Add(option);
        command.SetAction(parsed =>
        {
            var called = parsed.GetValue(name) ?? parsed.GetValue(family)!;
            if (!StoredKey.IsName(called) || called == StoredKey.LogName)
                throw new Misuse($"--name must be 1 to {StoredKey.NameMax} of a-z, 0-9 and -, begin with a letter, and not be {StoredKey.LogName}.");
            var file = place.File(parsed);
            using var opener = place.Opener(parsed, Keystore.WantsPassphrase(file), isNew: false);
            using var keys = SignerKeys.Open(file, opener);
            var key = Read(parsed.GetValue(keyFile)!, parsed.GetValue(family)!, called, keys.Curve);
            if (keys.Stored.Any(stored => stored.Name == called))
                throw new SetupFailure($"The keystore has a key {called} already: choose another with --name.");
            if (keys.Stored.Any(stored => stored.Kind == key.Kind && stored.Secret.Span.SequenceEqual(key.Secret.Span)))
                throw new SetupFailure("The keystore has this key already.");
            keys.Stored.Add(key);
            SignerKeyLine[] lines = [.. keys.Lines().Where(line => line.Key == called)];
            Keystore.Write(file, keys.Stored, opener, RandomNumberGenerator.Fill);
            Output.Of(parsed, json).Write(new { keystore = file, keys = lines },
                [.. lines.Select(Line), $"It is in the keystore; now delete {parsed.GetValue(keyFile)}."]);
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Address()
    {
        var command = new Documented("address", "Show the addresses of the keys, as the server's chains file wants them", $"""
            Examples:
              coffer signer address
              coffer signer address --json

            Environment: {SignerPlace.Variables}

            Each line is what goes into the member "hot" of a chain in the server's chains file, and where to send coins to fund it. A seed
            has an address on every kind of chain.
            """);
        var place = SignerPlace.AddTo(command);
        var json = Output.Option();
        command.Options.Add(json);
        command.SetAction(parsed =>
        {
            using var keys = SignerKeys.Open(parsed, place, place.File(parsed));
            SignerKeyLine[] lines = [.. keys.Lines()];
            Output.Of(parsed, json).Write(new { keys = lines },
                lines.Length > 0 ? [.. lines.Select(Line)] : ["The keystore has no key yet: bring one in with `coffer signer import`."]);
            return CommandLine.Done;
        });
        return command;
    }

    private static string Line(SignerKeyLine line) => $"{line.Key}  {line.Kind}{(line.BitcoinNetwork is { } network ? $" {network}" : "")}  "
        + $"{line.Hot}{(line.Hot.Xpub is null ? "" : $"  first address {line.Address}")}";

    private static StoredKey Read(string file, string family, string name, SecretKeys curve)
    {
        using var text = Secrets.ReadText(file, "key file");
        if (family != "bitcoin")
        {
            var digits = text.Span.StartsWith("0x"u8) ? text.Span[2..] : text.Span;
            var secret = new SecretBytes(Secp256k1.ScalarBytes);
            var read = digits.Length == 2 * secret.Length
                && Convert.FromHexString(digits, secret.Span, out _, out _) == System.Buffers.OperationStatus.Done;
            return read && curve.IsValid(secret.Span)
                ? new StoredKey(name, family == "evm" ? StoredKind.Evm : StoredKind.Tron, secret)
                : throw new SetupFailure($"The key file {file} does not hold a secret key of 64 hex digits.");
        }

        const int charactersMax = 200;
        Span<char> characters = stackalloc char[charactersMax];
        try
        {
            var length = System.Text.Encoding.ASCII.GetChars(text.Span[..Math.Min(text.Length, charactersMax)], characters);
            using var account = ExtendedPrivateKey.Parse(characters[..length], curve);
            if (account.Depth != ExtendedPublicKey.AccountDepth || account.Prefix.Kind is not (ExtendedKeyKind.Plain or ExtendedKeyKind.Segwit))
                throw new SetupFailure($"The key file {file} holds a {account.Prefix.Word[..1]}prv at depth {account.Depth}; an account's zprv, xprv, "
                    + "vprv or tprv is needed, which is at depth 3 (m/84'/coin'/account').");
            var bytes = new SecretBytes(ExtendedPrivateKey.Bytes);
            account.Write(bytes.Span);
            return new StoredKey(name, StoredKind.Bitcoin, bytes);
        }
        catch (KeyFault fault)
        {
            throw new SetupFailure($"{file}: {fault.Message}");
        }
        finally
        {
            characters.Clear();
        }
    }
}
