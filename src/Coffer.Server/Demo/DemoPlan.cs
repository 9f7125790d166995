using System.Security.Cryptography;
using System.Text.Json;
using Coffer.Server.Auth;
using Coffer.Server.Host;

namespace Coffer.Server.Demo;

/// <summary>One account of the demo: ids and secrets, chosen before anything is written.</summary>
internal sealed record DemoAccount(
    Guid AccountId, Guid DefaultWalletId, Guid WalletId, Guid KeyId, string ApiKey, string ClientId, string ClientSecret);

/// <summary>
/// What the demo decided at its very first start, in <c>demo.json</c> of its data folder. It is written before the first row, so that a
/// start that died anywhere is finished by the next one with the same ids, the same secrets and the same time; it stays, because the
/// database has only hashes of the secrets. Readable by its owner alone.
/// </summary>
/// <param name="SeededAt">The moment that the thirty days end at.</param>
/// <param name="Seeded">Whether every row is in the database; from then on nothing is seeded again.</param>
/// <param name="Main">The account with the figures of the account balances; its second wallet is Online Store.</param>
/// <param name="Trading">The account with the figures of the wallet balance; its second wallet is Trading Wallet.</param>
internal sealed record DemoPlan(DateTimeOffset SeededAt, bool Seeded, DemoAccount Main, DemoAccount Trading)
{
    /// <summary>What the demo's user types to sign in to the dashboard.</summary>
    public const string User = "demo";

    /// <summary>His password; null in a plan of before there was a dashboard.</summary>
    public string? DashboardPassword { get; init; }

    private const string Name = "demo.json";

    private static readonly JsonSerializerOptions _form = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    /// <summary>The plan of this folder; a new one, stored, at the first start.</summary>
    public static DemoPlan Of(string folder, TimeProvider time, RandomBytes random)
    {
        var file = Path.Combine(folder, Name);
        if (File.Exists(file))
        {
            var earlier = Read(file);
            if (earlier.DashboardPassword is not null)
                return earlier;
            earlier = earlier with { DashboardPassword = PasswordHash.New(random) };
            earlier.Store(folder);
            return earlier;
        }

        var ids = new Ids(time, random);
        // Whole seconds: this moment is seen in block times and prices.
        var now = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var plan = new DemoPlan(now, false, Account(ids, random), Account(ids, random)) { DashboardPassword = PasswordHash.New(random) };
        plan.Store(folder);
        return plan;
    }

    /// <summary>The same plan, with the note that everything is in the database.</summary>
    public DemoPlan Done(string folder)
    {
        var done = this with { Seeded = true };
        done.Store(folder);
        return done;
    }

    private void Store(string folder) => PrivateFile.Write(Path.Combine(folder, Name), JsonSerializer.SerializeToUtf8Bytes(this, _form));

    private static DemoPlan Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<DemoPlan>(File.ReadAllBytes(file), _form) ?? throw new JsonException();
        }
        catch (JsonException)
        {
            throw new SetupFailure($"{file} is not what the demo wrote: restore it, or start the demo on another folder with --data.");
        }
    }

    private static DemoAccount Account(Ids ids, RandomBytes random) => new(ids.New(), ids.New(), ids.New(), ids.New(),
        Secret(SecretText.ApiKey(Mode.Test), random), ids.New().ToString(), Secret(SecretKind.ClientSecret, random));

    private static string Secret(SecretKind kind, RandomBytes random)
    {
        Span<byte> bytes = stackalloc byte[SecretText.RandomBytes];
        random(bytes);
        var secret = SecretText.Make(kind, bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return secret;
    }
}
