using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Coffer.Chains;
using Coffer.Chains.Payouts;
using Coffer.Server.Withdrawals;
using Coffer.Tests.Chains.Evm;
using Coffer.Tests.Cli;
using static Coffer.Tests.Signer.SignerWorld;

namespace Coffer.Tests.Signer;

/// <summary>The real process over its real socket, with the client that the server has.</summary>
public sealed class SignerProcessTests(NodeFolder folder)
{
    private const int Terminate = 15, Kill = 9;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_it_signs_arrives_on_a_real_node_and_only_its_owner_can_ask_for_it()
    {
        using var world = new SignerWorld();
        world.Stop();
        using var signer = await SignerProcess.Start(world);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(world.In("signer.sock")));
        var from = (await signer.Client.Addresses(Ct))["anvil"];
        Assert.Equal(world.Key("anvil").Address, from);
        await using var anvil = await Anvil.Start(folder);
        await anvil.Pay(from, 2 * System.Numerics.BigInteger.Pow(10, 18));
        await anvil.Mine();
        var request = world.Pay(Coin("0.75"), nonce: 0, bytes: transaction => transaction with { MaxFeePerGas = 100_000_000_000, MaxPriorityFeePerGas = 1_000_000_000 });
        var answer = await signer.Client.Sign(request, Ct);
        Assert.Null(answer.Refusal);
        Assert.Equal(answer.Signed!.TxId, (await anvil.Call("eth_sendRawTransaction", "0x" + Convert.ToHexStringLower(answer.Signed.Bytes))).GetString());
        await anvil.Mine();
        Assert.Equal("0x" + Coin("0.75").ToString("x", CultureInfo.InvariantCulture), (await anvil.Call("eth_getBalance", Receiver, "latest")).GetString());

        var refusal = (await signer.Client.Sign(world.Pay(Coin("1.5"), nonce: 1), Ct)).Refusal!;
        Assert.Equal((SigningRefusalCode.OverTransactionLimit, "1.50 of coin are more than the 1.00 that one transaction may pay on anvil."), (refusal.Code, refusal.Message));
        var ended = await signer.Binary.Signal(Terminate);
        Assert.Equal((0, ""), (ended.Status, ended.Error));
        Assert.False(File.Exists(world.In("signer.sock")));
    }

    [Fact]
    public async Task Without_the_secret_it_says_nothing_over_tcp_on_loopback()
    {
        var port = FreePort();
        using var world = new SignerWorld(file => file["listen"] = $"http://127.0.0.1:{port}");
        world.Stop();
        using var signer = await SignerProcess.Start(world);
        using var http = new HttpClient { BaseAddress = new Uri(signer.Listen) };
        var secret = (await File.ReadAllTextAsync(world.In("secret"), Ct)).Trim();
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("health/live", Ct)).StatusCode);
        foreach (var wrong in (string?[])[null, "Bearer ", $"Bearer {secret[..^1]}", $"Bearer {secret}0", $"Bearer {secret.ToUpperInvariant()}", $"Basic {secret}", secret])
        {
            foreach (var (method, path) in new[] { ("GET", "addresses"), ("POST", "sign"), ("GET", "nothing") })
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new ByteArrayContent(world.Pay(1, 0).ToBytes()) };
                if (wrong is not null)
                    request.Headers.TryAddWithoutValidation("Authorization", wrong);
                using var response = await http.SendAsync(request, Ct);
                Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
                Assert.Contains("\"code\":\"unauthorized\"", await response.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
            }
        }

        Assert.NotNull((await signer.Client.Sign(world.Pay(1, 0), Ct)).Signed);
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {secret}");
        foreach (var body in (string[])["", "{", "[]", "{\"payout\":\"p\"}", "null"])
            Assert.Equal(HttpStatusCode.BadRequest, (await http.PostAsync("sign", new StringContent(body), Ct)).StatusCode);
        using var large = new HttpRequestMessage(HttpMethod.Post, "sign") { Content = new ByteArrayContent(new byte[4_000_000]) };
        large.Headers.ExpectContinue = true;
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await http.SendAsync(large, Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("nothing", Ct)).StatusCode);
    }

    // The secret that the client has is another one: no word about the payment, so nothing may be concluded.
    [Fact]
    public async Task An_answer_that_did_not_come_is_no_refusal()
    {
        using var world = new SignerWorld();
        world.Stop();
        var signer = await SignerProcess.Start(world);
        world.Write("other", "00000000000000000000000000000000"u8);
        using (var stranger = new SignerClient(signer.Listen, world.In("other")))
            Assert.Contains("does not know the secret", (await Assert.ThrowsAsync<ChainFault>(() => stranger.Sign(world.Pay(1, 0), Ct))).Message, StringComparison.Ordinal);
        // Stopped in the middle, it accepts and answers nothing.
        Coffer.Server.Sql.Postmaster.Signal(signer.Binary.Id, 19);
        using (var hasty = new SignerClient(signer.Listen, world.In("secret"), TimeSpan.FromMilliseconds(300)))
            Assert.True((await Assert.ThrowsAsync<ChainFault>(() => hasty.Sign(world.Pay(1, 0), Ct))).Retryable);
        signer.Dispose();
        using var late = new SignerClient(signer.Listen, world.In("secret"));
        Assert.True((await Assert.ThrowsAsync<ChainFault>(() => late.Sign(world.Pay(1, 0), Ct))).Retryable);
    }

    [Fact]
    public async Task Killed_in_the_middle_of_signing_it_remembers_every_answer_it_gave()
    {
        using var world = new SignerWorld(file => file["chains"]![0]!["assets"]!["coin"]!["per_day"] = "1000");
        world.Stop();
        var given = new Dictionary<string, (SigningRequest Request, byte[] Signed)>();
        var nonce = 0;
        for (var round = 0; round < 8; round++)
        {
            using var signer = await SignerProcess.Start(world);
            foreach (var (request, signed) in given.Values)
                Assert.Equal(signed, (await signer.Client.Sign(request, Ct)).Signed!.Bytes);
            var asking = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
            {
                while (true)
                {
                    var request = world.Pay(Coin("0.01"), Interlocked.Increment(ref nonce), id: $"w{Interlocked.Increment(ref nonce)}");
                    try
                    {
                        var answer = await signer.Client.Sign(request, Ct);
                        lock (given)
                            given.Add(request.Withdrawals[0].Id, (request, answer.Signed!.Bytes));
                    }
                    catch (ChainFault)
                    {
                        return;
                    }
                }
            }, Ct)).ToArray();
            await Task.Delay(60 + (37 * round), Ct);
            await signer.Binary.Signal(Kill);
            await Task.WhenAll(asking);
        }

        Assert.True(given.Count > 50, $"{given.Count} answers");
        world.Start();
        foreach (var (request, signed) in given.Values)
        {
            Assert.Equal(signed, (await world.Signed(request)).Bytes);
            var second = world.Pay(Coin("0.01"), 1_000_000, id: request.Withdrawals[0].Id);
            await world.Refused(SigningRefusalCode.AlreadyPaid, second);
        }
    }

    // The log reaches a limit in the middle of a line, as on a full disk.
    [Fact]
    public async Task When_its_log_cannot_be_written_nothing_is_signed_and_it_ends_at_once()
    {
        using var world = new SignerWorld();
        world.Stop();
        using var signer = await SignerProcess.Start(world);
        var first = world.Pay(1, 0);
        Assert.NotNull((await signer.Client.Sign(first, Ct)).Signed);
        var length = new FileInfo(world.In("signer.log")).Length;
        using (var limit = Process.Start("prlimit", ["--pid", $"{signer.Binary.Id}", $"--fsize={length + 100}"]))
            await limit.WaitForExitAsync(Ct);
        var second = world.Pay(2, 1);
        await Assert.ThrowsAsync<ChainFault>(() => signer.Client.Sign(second, Ct));
        var ended = await signer.Binary.End();
        Assert.Equal(1, ended.Status);
        Assert.StartsWith($"coffer: The signer's log {world.In("signer.log")} cannot be written (", ended.Error, StringComparison.Ordinal);
        Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));

        using var again = await SignerProcess.Start(world);
        Assert.Contains("100 bytes were cut off", again.Binary.Error, StringComparison.Ordinal);
        Assert.NotNull((await again.Client.Sign(first, Ct)).Signed);
        Assert.NotNull((await again.Client.Sign(world.Pay(2, 5, id: second.Withdrawals[0].Id), Ct)).Signed);
    }

    [Fact]
    public async Task A_second_signer_on_the_same_files_does_not_start_and_one_that_was_killed_leaves_nothing_in_the_way()
    {
        using var world = new SignerWorld();
        world.Stop();
        using (var signer = await SignerProcess.Start(world))
        {
            var second = await Binary.Run("signer", "serve", "--config", world.In("signer.json"), "--keystore-key", world.In("key"));
            Assert.Equal(1, second.Status);
            Assert.Contains("another signer has it", second.Error, StringComparison.Ordinal);
            await signer.Binary.Signal(Kill);
        }

        Assert.True(File.Exists(world.In("signer.sock")));
        using var again = await SignerProcess.Start(world);
        Assert.NotNull((await again.Client.Sign(world.Pay(1, 0), Ct)).Signed);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
