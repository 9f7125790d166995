using System.CommandLine;
using Coffer.Server.Host;
using Coffer.Server.Signer;

namespace Coffer.Server.Commands;

/// <summary><c>coffer signer serve</c>. Runs until it is asked to stop, or until its log cannot be written, which ends it at once.</summary>
internal static class SignerServeCommand
{
    public static Command Make()
    {
        var command = new Documented("serve", "Sign what the server asks for, within limits of its own", $"""
            Examples:
              coffer signer serve
              coffer signer serve --config /etc/coffer/signer.json --passphrase-file /run/secrets/passphrase

            Environment: COFFER_SIGNER_CONFIG, {SignerPlace.Variables}

            Run it as a user of its own. The signer's file says where it listens, which chains it signs for, and how much may leave in one
            transaction and on one day; README.md shows one. SIGTERM stops it cleanly.
            """);
        var config = Texts.Option("--config", "FILE", $"The signer's file ({SignerPlace.Usual("signer.json")})");
        var newLog = new Option<bool>("--new-log") { Description = "Begin a log, where there is none: for keys that have never signed" };
        var place = SignerPlace.AddTo(command);
        command.Options.Add(config);
        command.Options.Add(newLog);
        command.SetAction(async (parsed, ct) =>
        {
            SignerProcess.HideMemory();
            using var tooLarge = SignerProcess.TakeFileLimitAsError();
            var file = SignerFileReader.Read(Texts.Given(parsed, config, "COFFER_SIGNER_CONFIG") ?? SignerPlace.Usual("signer.json"));
            var secret = Secrets.Shared(file.SecretFile);
            using var keys = SignerKeys.Open(parsed, place, place.Named(parsed) ?? file.Keystore);
            if (parsed.GetValue(newLog))
                SignerLog.Begin(file.Log, keys.Stored.Single(key => key.Kind == StoredKind.Log).Secret, TimeProvider.System).Dispose();
            using var sign = SignPayout.Start(file, keys.Stored, keys.Curve, TimeProvider.System);
            if (sign.CutBytes > 0)
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"coffer: The last line of {file.Log} had no end: {sign.CutBytes} bytes "
                    + "were cut off. Nothing was signed for it.");
            await using var server = await SignerServer.Start(file.Listen, secret, sign, ct);
            await parsed.InvocationConfiguration.Output.WriteLineAsync($"The signer listens on {file.Listen}");
            foreach (var (chain, key) in sign.Chains)
                await parsed.InvocationConfiguration.Output.WriteLineAsync($"  {chain.Id} from {key.Address}");
            try
            {
                await server.WaitForEnd(ct);
            }
            catch (LogFault fault)
            {
                throw new SetupFailure(fault.Message);
            }

            return CommandLine.Done;
        });
        return command;
    }
}
