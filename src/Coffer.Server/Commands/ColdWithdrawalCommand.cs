using System.CommandLine;
using Coffer.Server.Host;
using Coffer.Server.Payouts;

namespace Coffer.Server.Commands;

/// <summary><c>coffer withdrawal export|import</c>: signs by hand where no signer has the hot wallet's key. Works beside a running server.</summary>
internal static class ColdWithdrawalCommand
{
    /// <summary>In place of a file's name: standard input.</summary>
    private const string StandardInput = "-";

    public static Command Export()
    {
        var command = new Documented("export", "Print the transaction of a withdrawal that waits to be signed by hand", """
            Examples:
              coffer withdrawal list --waits-for signature
              coffer withdrawal export 01961f0e-7d9a-7c1b-9c55-3f0d3c1b2a10 --chains /etc/coffer/chains.json --out pay.psbt
              coffer withdrawal export 01961f0e-7d9a-7c1b-9c55-3f0d3c1b2a10 --json

            For hot wallets without "signer" in the chains file. Bitcoin: a PSBT (BIP174) in Base64, whose paths count from the account's key.
            EVM: the bytes to sign in hex (EIP-1559). Tron: the raw_data in hex. One transaction may pay several withdrawals.
            Check in the wallet that signs whom it pays, how much, and the fee.
            """);
        var id = new Argument<string>("ID") { Description = "The withdrawal's id" };
        var file = Texts.Option("--out", "FILE", "Write it into this file instead");
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        command.Arguments.Add(id);
        command.Options.Add(file);
        command.Options.Add(json);
        command.SetAction(async (parsed, ct) =>
        {
            var wanted = Texts.Uuid(parsed.GetValue(id)!, "ID");
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var exported = Exported.Of(wanted, await new SignByHand(work.Db, work.Chains, work.Currencies, work.Clock).Export(wanted, ct), work);
            if (parsed.GetValue(file) is not { } path)
            {
                Output.Of(parsed, json).Write(exported, exported.Unsigned);
                return CommandLine.Done;
            }

            await File.WriteAllTextAsync(path, exported.Unsigned + "\n", ct);
            Output.Of(parsed, json).Write(exported, [.. exported.Pays.Select(pay => $"Pays {pay.Amount} {pay.Currency} to {pay.Address}."),
                $"Costs at most {exported.FeeMax}" + (exported.ExpiresAt is { } end ? $" and expires at {Wire.Time(end)}." : "."),
                $"Written to {path}. Sign it, then: coffer withdrawal import {wanted} --signed FILE"]);
            return CommandLine.Done;
        });
        return command;
    }

    public static Command Import()
    {
        var command = new Documented("import", "Take back a transaction that was signed by hand; the server sends it", """
            Examples:
              coffer withdrawal import 01961f0e-7d9a-7c1b-9c55-3f0d3c1b2a10 --signed signed.psbt --chains /etc/coffer/chains.json
              wallet sign | coffer withdrawal import 01961f0e-7d9a-7c1b-9c55-3f0d3c1b2a10 --signed -

            The file has the signed transaction: bytes, hex or Base64; for Bitcoin a PSBT with its signatures too, for Tron the JSON of
            tronweb too. It must be the exported one in everything but the signatures, and those must be the hot wallet's. Giving the same
            file twice changes nothing.
            """);
        var id = new Argument<string>("ID") { Description = "The withdrawal's id" };
        var file = Texts.Option("--signed", "FILE", "The signed transaction; - for standard input", required: true);
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        command.Arguments.Add(id);
        command.Options.Add(file);
        command.Options.Add(json);
        command.SetAction(async (parsed, ct) =>
        {
            var wanted = Texts.Uuid(parsed.GetValue(id)!, "ID");
            var signed = await Read(parsed.GetValue(file)!, ct);
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var (payout, attempt, taken, isNew) = await new SignByHand(work.Db, work.Chains, work.Currencies, work.Clock).Import(wanted, signed, ct);
            Output.Of(parsed, json).Write(new Imported(wanted, payout.Id, attempt.Number, payout.Chain, taken.TxId, isNew), isNew
                ? $"Transaction {taken.TxId} is stored; the server sends it now."
                : $"Transaction {taken.TxId} was stored before; nothing is changed.");
            return CommandLine.Done;
        });
        return command;
    }

    private static async Task<byte[]> Read(string path, CancellationToken ct)
    {
        await using var input = path == StandardInput ? Console.OpenStandardInput() : File.OpenRead(path);
        using var bytes = new MemoryStream();
        var buffer = new byte[81_920];
        for (int read; (read = await input.ReadAsync(buffer, ct)) > 0;)
        {
            bytes.Write(buffer, 0, read);
            if (bytes.Length > ColdWallet.FileBytesMax)
                throw new Misuse($"--signed {path} has more than {ColdWallet.FileBytesMax} bytes: that is no transaction.");
        }

        return bytes.ToArray();
    }

    private sealed record Imported(Guid WithdrawalId, Guid PayoutId, int Attempt, string Chain, string TransactionHash, bool Stored);

    private sealed record Payment(Guid WithdrawalId, string Address, string? Asset, string Amount, string Currency);

    private sealed record Exported(Guid WithdrawalId, Guid PayoutId, int Attempt, string Chain, string Format, string Unsigned,
        IReadOnlyList<Payment> Pays, string FeeMax, long? Nonce, DateTimeOffset? ExpiresAt)
    {
        public static Exported Of(Guid wanted, ToSign toSign, Workplace work)
        {
            var (payout, reading) = (toSign.Payout, toSign.Reading);
            var entry = work.Chains.First(chain => chain.Id == payout.Chain);
            var coin = work.Currencies.All.FirstOrDefault(currency => currency.Network == entry.Network && currency.Contract is null);
            var fee = $"{Amount.Short(reading.FeeMax, entry.CoinDecimals)} {coin?.Code ?? entry.Network}";
            return new Exported(wanted, payout.Id, toSign.Attempt.Number, payout.Chain, ColdWallet.Of(entry).Format, toSign.Text,
                [.. payout.Withdrawals.Zip(reading.Outputs, (withdrawal, output) => new Payment(withdrawal.Id.Value, output.Address, output.Asset,
                    Amount.Short(output.Amount, work.Currencies.Find(withdrawal.Currency).Decimals), withdrawal.Currency))],
                fee, reading.Claim.Nonce, reading.Claim.ExpiresAt);
        }
    }
}
