using System.Diagnostics;
using System.Security.Cryptography;
using Coffer.Server.Auth;

namespace Coffer.Bench;

/// <summary>
/// The dashboard's overview for an account with twenty currencies in each of a thousand wallets: the time to its first byte against that of
/// <c>GET /user/balances/</c>, whose figures it shows; and what a browser loads for its heaviest page.
/// </summary>
internal static class PageBench
{
    private const int Wallets = 1_000;
    private const double Claim = 3;
    private const int WeightMax = 150_000;

    private static readonly string[] _heaviest =
    [
        "/dashboard/currencies/USDTERC20?period=30d&interval=hourly", "/assets/coffer.css", "/assets/live.js", "/assets/forms.js", "/assets/chart.js",
        "/assets/lib/chart.js", "/assets/icon.svg",
    ];

    public static async Task Run(Rig rig, ResultTable table, bool quick)
    {
        var account = await BenchAccounts.Make(rig, "pages");
        await rig.Sql($"""
            INSERT INTO wallet SELECT {account.Shard}, '{account.Id}', gen_random_uuid(), 'Wallet ' || i, false, now(), now()
            FROM generate_series(2, {Wallets}) AS i
            """);
        await rig.Sql($"""
            INSERT INTO balance (shard, account_id, currency, wallet_id, available, incoming, held, deposited, withdrawn, fees, transferred,
                deficit, version, last_movement_at, head_hash)
            SELECT w.shard, w.account_id, c, w.id, 1000500000, 0, 0, 1000500000, 0, 0, 0, 0, 1, now(), '\x00'
            FROM wallet w CROSS JOIN unnest(ARRAY[{string.Join(", ", BenchAccounts.Currencies.All.Select(c => $"'{c.Code}'"))}]) AS c
            WHERE w.account_id = '{account.Id}'
            """);
        await rig.Sql("ANALYZE");
        await using var server = await ServerProcess.Start(rig.ConnectionString, []);
        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = server.Product };
        var api = ("Authorization", $"Bearer {await account.Token(http, server.Product)}");
        var page = ("Cookie", $"{Sessions.Cookie}={await Session(rig, account)}");
        var rounds = quick ? 20 : 100;
        var (pages, answers) = (new List<double>(), new List<double>());
        for (var round = -10; round < rounds; round++)
        {
            var (a, p) = (await FirstByte(http, "/user/balances/", api), await FirstByte(http, "/", page));
            if (round < 0)
                continue;
            answers.Add(a);
            pages.Add(p);
        }

        double shown = Median(pages), told = Median(answers);
        table.Add($"first byte of the overview, {BenchAccounts.Currencies.All.Count} currencies x {Wallets:N0} wallets", $"{shown:F1} ms",
            $"{told:F1} ms of /user/balances/", $"{shown / told:F2} x", $"<= {Claim} x", shown / told <= Claim);
        var weight = 0;
        foreach (var path in _heaviest)
            weight += await Weight(http, path, page);
        table.Add("bytes of the heaviest page with all it loads", $"{weight:N0}", "", "", $"<= {WeightMax:N0}", weight <= WeightMax);
    }

    /// <summary>A session, past the sign-in and its slow hash.</summary>
    private static async Task<string> Session(Rig rig, BenchAccount account)
    {
        var now = TimeProvider.System.GetUtcNow();
        var user = new User(rig.Ids.New(), $"bench-{account.Id}", new AccountId(account.Id), account.Shard, Mode.Live, Role.Viewer,
            new PasswordHash([0], [0], 1), null, 0, now, null);
        var secret = SecretText.Make(SecretKind.Session, RandomNumberGenerator.GetBytes(SecretText.RandomBytes));
        await rig.Db.Transaction(async (tx, ct) =>
        {
            await tx.Insert(user, ct);
            await tx.InsertSession(Authenticate.Hash(secret), rig.Ids.New(), user, "127.0.0.1", now, now.AddHours(1), ct);
        }, CancellationToken.None);
        return secret;
    }

    private static async Task<double> FirstByte(HttpClient http, string path, (string Name, string Value) header)
    {
        using var request = Request(path, header);
        var start = Stopwatch.GetTimestamp();
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await answer.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[1]);
        var took = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        if (answer.StatusCode != System.Net.HttpStatusCode.OK)
            throw new IOException($"{path}: {answer.StatusCode}");
        await body.CopyToAsync(Stream.Null);
        return took;
    }

    private static async Task<int> Weight(HttpClient http, string path, (string Name, string Value) header)
    {
        using var request = Request(path, header);
        using var answer = await http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadAsByteArrayAsync()).Length;
    }

    private static HttpRequestMessage Request(string path, (string Name, string Value) header)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add(header.Name, header.Value);
        request.Headers.Add("Accept-Encoding", "gzip");
        return request;
    }

    private static double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);
}
