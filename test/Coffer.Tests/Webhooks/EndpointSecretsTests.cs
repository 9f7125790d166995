using System.Security.Cryptography;
using Coffer.Server.Host;
using Coffer.Server.Webhooks;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coffer.Tests.Webhooks;

/// <summary>What deliveries are signed with: shown once, encrypted at rest, two at a time while a rotation overlaps.</summary>
public sealed class EndpointSecretsTests(TestCluster cluster) : IDisposable
{
    private static readonly DateTimeOffset _now = new(2026, 1, 15, 9, 30, 0, TimeSpan.Zero);
    private readonly string _folder = Directory.CreateTempSubdirectory("coffer-keys-").FullName;
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_secret_is_whsec_and_32_bytes_and_a_restarted_server_signs_with_the_same()
    {
        var id = Ids().New();
        var (text, encrypted) = Secrets().New(id);
        Assert.StartsWith("whsec_", text, StringComparison.Ordinal);
        var shown = Convert.FromBase64String(text["whsec_".Length..]);
        Assert.Equal(32, shown.Length);
        Assert.Equal([shown], Secrets().Signing(Endpoint(id, encrypted), _now));
        Assert.True(encrypted.AsSpan().IndexOf(shown) < 0);
    }

    [Fact]
    public void Both_secrets_sign_until_the_overlap_ends_and_then_only_the_new_one()
    {
        var id = Ids().New();
        var secrets = Secrets();
        var (old, next) = (secrets.New(id), secrets.New(id));
        var rotated = Endpoint(id, next.Encrypted) with { PreviousSecret = old.Encrypted, PreviousUntil = _now.AddHours(24) };
        var texts = (DateTimeOffset at) => secrets.Signing(rotated, at).Select(secret => "whsec_" + Convert.ToBase64String(secret));
        Assert.Equal([next.Text, old.Text], texts(_now.AddHours(24).AddSeconds(-1)));
        Assert.Equal([next.Text], texts(_now.AddHours(24)));
    }

    [Fact]
    public void A_secret_that_was_moved_to_another_endpoint_is_unreadable()
    {
        var secrets = Secrets();
        var stolen = secrets.New(Ids().New()).Encrypted;
        Assert.Throws<CryptographicException>(() => secrets.Signing(Endpoint(Ids().New(), stolen), _now));
    }

    [Fact]
    public void A_folder_of_keys_that_others_can_read_stops_the_start()
    {
        File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_000);
        var failure = Assert.Throws<SetupFailure>(() => EncryptionKeys.Add(new ServiceCollection(), _folder));
        Assert.Contains("chmod 700", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Callbacks_that_many_requests_need_at_once_are_made_once()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() =>
            new MakeCallbacks(world.App.Db, Secrets(), world.Ids, world.Time).Run(account.Account.Shard, account.Id, Ct))));
        var callbacks = Assert.Single(await world.App.Db.WebhookEndpoints(account.Account.Shard, account.Id, Ct));
        Assert.Equal((EndpointKind.Callbacks, EndpointState.Enabled, 0L), (callbacks.Kind, callbacks.State, callbacks.FirstNumber));
        Assert.Single(Secrets().Signing(callbacks, _now));
    }

    [Fact]
    public async Task A_start_says_when_the_keys_of_the_secrets_are_not_there()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        Task<bool> Check() => CheckSecrets.Run(world.App.Db, Secrets(), _folder, _now, NullLogger.Instance, Ct);
        Assert.True(await Check());
        await new MakeCallbacks(world.App.Db, Secrets(), world.Ids, world.Time).Run(account.Account.Shard, account.Id, Ct);
        Assert.True(await Check());
        foreach (var key in Directory.GetFiles(_folder))
            File.Delete(key);
        Assert.False(await Check());
    }

    private static Ids Ids() => new(TimeProvider.System, RandomNumberGenerator.Fill);

    /// <summary>As a process that starts has them.</summary>
    private EndpointSecrets Secrets()
    {
        var services = new ServiceCollection();
        EncryptionKeys.Add(services, _folder);
        return new(services.BuildServiceProvider().GetRequiredService<IDataProtectionProvider>(), RandomNumberGenerator.Fill);
    }

    private static WebhookEndpoint Endpoint(Guid id, byte[] secret) => new(new EndpointKey(0, new AccountId(id), id), EndpointKind.Endpoint,
        "https://example.com/", null, null, EndpointState.Enabled, null, secret, null, null, 0, _now, _now);
}
