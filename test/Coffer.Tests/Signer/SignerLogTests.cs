using System.Text;
using Coffer.Chains.Payouts;
using Coffer.Server.Host;

namespace Coffer.Tests.Signer;

/// <summary>What happens to the log, and what the signer makes of it at its next start.</summary>
public sealed class SignerLogTests : IDisposable
{
    private readonly SignerWorld world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task A_line_that_was_changed_removed_added_or_moved_is_found_and_nothing_is_signed()
    {
        for (var i = 0; i < 4; i++)
            await world.Signed(world.Pay(1_000 + i, i));
        world.Stop();
        var whole = File.ReadAllText(world.In("signer.log"));
        string[] lines = [.. whole.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line + "\n")];

        Broken(3, whole.Replace("\"amount\":\"1001\"", "\"amount\":\"1000\"", StringComparison.Ordinal));
        Broken(3, string.Concat(lines.Where((_, i) => i != 2)));
        Broken(1, string.Concat(lines[1..]));
        Broken(3, string.Concat([lines[0], lines[1], lines[3], lines[2], lines[4]]));
        Broken(3, string.Concat([lines[0], lines[1], lines[1], .. lines[2..]]));
        Broken(6, whole + "{}\n");
        Broken(6, whole + lines[4]);
        Broken(1, "");

        // A line with a code that its writer made up for it.
        Broken(5, string.Concat(lines[..4]) + lines[4].Replace("\"nonce\":3", "\"nonce\":4", StringComparison.Ordinal));
        File.WriteAllText(world.In("signer.log"), whole);
        world.Start();
        await world.Refused(SigningRefusalCode.AlreadyPaid, world.Pay(1_000, 9, id: "withdrawal-1"));

        void Broken(int line, string text)
        {
            File.WriteAllText(world.In("signer.log"), text);
            Assert.StartsWith($"Line {line} of the signer's log ", Assert.Throws<SetupFailure>(world.Start).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_log_of_another_keystore_is_refused()
    {
        world.Stop();
        world.Stored[0].Secret.Span[0] ^= 1;
        Assert.Contains("was changed, or was written with another keystore", Assert.Throws<SetupFailure>(world.Start).Message, StringComparison.Ordinal);
        world.Stored[0].Secret.Span[0] ^= 1;
        world.Start();
        await world.Signed(world.Pay(1, 0));
    }

    // Every length that a dying process may have left of its last line.
    [Fact]
    public async Task A_last_line_without_end_is_cut_off_with_a_note_and_the_signer_goes_on()
    {
        var first = world.Pay(1_000, 0, id: "first");
        var second = world.Pay(2_000, 1, id: "second");
        var signed = await world.Signed(first);
        world.Stop();
        var before = await File.ReadAllBytesAsync(world.In("signer.log"), TestContext.Current.CancellationToken);
        world.Start();
        var bytes = (await world.Signed(second)).Bytes;
        world.Stop();
        var whole = await File.ReadAllBytesAsync(world.In("signer.log"), TestContext.Current.CancellationToken);
        for (var length = before.Length + 1; length < whole.Length; length += 37)
        {
            await File.WriteAllBytesAsync(world.In("signer.log"), whole[..length], TestContext.Current.CancellationToken);
            world.Start();
            Assert.Equal(length - before.Length, world.Sign.CutBytes);
            Assert.Equal(["begun", "signed", "cut"], world.Log().Select(line => line.GetProperty("event").GetString()));
            Assert.Equal(signed.Bytes, (await world.Signed(first)).Bytes);
            // It never left, so another nonce would do as well; the same plan gives the same bytes.
            Assert.Equal(bytes, (await world.Signed(second)).Bytes);
            world.Restart();
            Assert.Equal(0, world.Sign.CutBytes);
            await world.Refused(SigningRefusalCode.AlreadyPaid, world.Pay(2_000, 2, id: "second"));
            world.Stop();
        }
    }

    [Fact]
    public void Without_its_log_a_signer_does_not_start_and_two_never_share_one()
    {
        Assert.Contains("another signer has it", Assert.Throws<SetupFailure>(world.Start).Message, StringComparison.Ordinal);
        world.Stop();
        File.Delete(world.In("signer.log"));
        Assert.Contains("begin one with --new-log", Assert.Throws<SetupFailure>(world.Start).Message, StringComparison.Ordinal);
        // Where nothing can be kept, and zeros never end.
        File.CreateSymbolicLink(world.In("signer.log"), "/dev/full");
        Assert.Contains("is too long", Assert.Throws<SetupFailure>(world.Start).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_is_readable_json_that_holds_no_secret()
    {
        await world.Signed(world.Pay(1, 0));
        var text = string.Join('\n', world.Log().Select(line => line.GetRawText()));
        Assert.All(world.Stored, key => Assert.DoesNotContain(Convert.ToHexStringLower(key.Secret.Span), text, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain((await File.ReadAllTextAsync(world.In("secret"), TestContext.Current.CancellationToken)).Trim(), text, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(world.In("signer.log")));
        Assert.True(Encoding.UTF8.GetByteCount(text) > 0);
    }
}
