using System.Text.Json;
using Coffer.Ledger;
using Coffer.Server.Wallets;

namespace Coffer.Tests.Http;

public sealed class TransactionTests(TestCluster cluster)
{
    private static readonly DateTimeOffset _start = new(2030, 1, 15, 9, 30, 0, TimeSpan.Zero);
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_kind_of_movement_is_listed_newest_first_and_proven_by_its_postings()
    {
        var clock = new FakeTime(_start);
        await using var world = await World.Start(cluster, time: clock);
        var account = await world.Account();
        var other = await account.Wallet("Other");
        var main = account.DefaultWallet;
        var eth = world.App.Currencies.Find("ETH");
        var one = Amount.One(18);
        var hash = Reference.Of("sim:account:0xabc:native:0");
        await Write(account, new DepositSeen(account.Id, main, eth, hash, 5 * one, _start.AddHours(-1), 1));
        clock.Now += TimeSpan.FromMinutes(1);
        var correction = await TransferTests.Fund(account, main, "ETH", "1");
        clock.Now += TimeSpan.FromMinutes(1);
        var deposit = await Write(account, new DepositConfirmed(account.Id, main, eth, hash, one / 10, 1));
        var transfer = await Write(account, new Transfer(account.Id, main, eth, Reference.Of("transfer:a:b:c"), other, one, "Move"));
        clock.Now += TimeSpan.FromMinutes(1);
        var withdrawal = await Write(account, new RequestWithdrawal(account.Id, main, eth, Reference.Of("withdrawal:1"), one, one / 2, "0xdestination"));
        var key = await account.ApiKey();

        var list = await Body(world, key, "/transactions/");
        Assert.Equal(list, await Body(world, key, "/transactions?limit=4"));
        Assert.Equal($$$"""
            {"transactions":[
            {"id":"{{{withdrawal.Id}}}","type":"withdrawal","status":"pending","wallet_id":"{{{main}}}","to_wallet_id":null,"currency":"ETH",
            "amount":"1.000000000000000000","fee_amount":"0.500000000000000000","net_amount":"1.000000000000000000","transaction_hash":null,
            "address":"0xdestination","description":null,
            "effective_at":"2030-01-15T09:33:00Z","created_at":"2030-01-15T09:33:00Z","updated_at":"2030-01-15T09:33:00Z"},
            {"id":"{{{transfer.Id}}}","type":"transfer","status":"completed","wallet_id":"{{{main}}}","to_wallet_id":"{{{other}}}","currency":"ETH",
            "amount":"1.000000000000000000","fee_amount":"0.000000000000000000","net_amount":"1.000000000000000000","transaction_hash":null,
            "address":null,"description":"Move",
            "effective_at":"2030-01-15T09:32:00Z","created_at":"2030-01-15T09:32:00Z","updated_at":"2030-01-15T09:32:00Z"},
            {"id":"{{{correction.Id}}}","type":"correction","status":"completed","wallet_id":"{{{main}}}","to_wallet_id":null,"currency":"ETH",
            "amount":"1.000000000000000000","fee_amount":"0.000000000000000000","net_amount":"1.000000000000000000","transaction_hash":null,
            "address":null,"description":"Funds for a test",
            "effective_at":"2030-01-15T09:31:00Z","created_at":"2030-01-15T09:31:00Z","updated_at":"2030-01-15T09:31:00Z"},
            {"id":"{{{deposit.Id}}}","type":"deposit","status":"completed","wallet_id":"{{{main}}}","to_wallet_id":null,"currency":"ETH",
            "amount":"5.000000000000000000","fee_amount":"0.100000000000000000","net_amount":"4.900000000000000000","transaction_hash":"0xabc",
            "address":null,"description":null,
            "effective_at":"2030-01-15T08:30:00Z","created_at":"2030-01-15T09:30:00Z","updated_at":"2030-01-15T09:32:00Z"}
            ],"has_more":false,"next_cursor":null}
            """.ReplaceLineEndings(""), list);

        await Write(account, new SettleWithdrawal(account.Id, main, eth, Reference.Of("withdrawal:1")));
        await Write(account, new DepositReversed(account.Id, main, eth, hash, 1));
        await AssertPostings(account, key, deposit.Id, (1, "deposit_seen"), (3, "deposit_confirmed"), (7, "deposit_reversed"));
        await AssertPostings(account, key, correction.Id, (2, "correction_in"));
        await AssertPostings(account, key, transfer.Id, (4, "transfer_out"), (1, "transfer_in"));
        await AssertPostings(account, key, withdrawal.Id, (5, "withdrawal_requested"), (6, "withdrawal_settled"));
        Assert.StartsWith($$"""{"id":"{{deposit.Id}}","type":"deposit","status":"reversed",""", await Body(world, key, $"/transactions/{deposit.Id}/"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Filters_choose_by_kind_state_currency_wallet_and_day()
    {
        var clock = new FakeTime(_start);
        await using var world = await World.Start(cluster, time: clock);
        var account = await world.Account();
        var other = await account.Wallet("Other");
        var (eth, trx) = (world.App.Currencies.Find("ETH"), world.App.Currencies.Find("TRX"));
        var correction = await TransferTests.Fund(account, account.DefaultWallet, "ETH", "9");
        clock.Now = _start.AddDays(1);
        var transfer = await Write(account, new Transfer(account.Id, account.DefaultWallet, eth, Reference.Of("t"), other, 5, null));
        clock.Now = _start.AddDays(2);
        var withdrawal = await Write(account, new RequestWithdrawal(account.Id, account.DefaultWallet, eth, Reference.Of("w"), 5, 0, "0x"));
        var deposit = await Write(account, new DepositSeen(account.Id, account.DefaultWallet, trx, Reference.Of("a:b:c:0"), 5, _start, 1));
        var key = await account.ApiKey();
        MovementId[] all = [deposit.Id, withdrawal.Id, transfer.Id, correction.Id];
        // Two ids of one millisecond are in the order of their random parts.
        if (withdrawal.Id.Value.CompareTo(deposit.Id.Value) > 0)
            (all[0], all[1]) = (all[1], all[0]);
        (string Query, MovementId[] Ids)[] cases =
        [
            ("", all), ("type=deposit", [deposit.Id]), ("type=withdrawal", [withdrawal.Id]), ("type=transfer", [transfer.Id]),
            ("type=correction", [correction.Id]), ("status=pending", [all[0], all[1]]), ("status=completed", [transfer.Id, correction.Id]),
            ("status=failed", []), ("status=reversed", []), ("currency=trx", [deposit.Id]), ("currency=BTC", []),
            ($"wallet_id={other}", [transfer.Id]), ($"wallet_id={account.DefaultWallet}", all), ("type=transfer&status=pending", []),
            ("date_from=2030-01-16", all[..3]), ("date_to=2030-01-16", all[2..]), ("date_from=2030-01-16&date_to=2030-01-16", [transfer.Id]),
            ("date_from=2030-01-16T09:30:00Z&date_to=2030-01-16T09:30:00.000Z", [transfer.Id]), ("date_from=2030-01-16T09:30:00.001Z", all[..2]),
            ("date_to=9999-12-31", all), ("date_from=0001-01-01", all), ($"starting_after={transfer.Id}", [correction.Id]),
        ];
        foreach (var (query, ids) in cases)
            Assert.Equal((query, string.Join(" ", ids)), (query, string.Join(" ", (await Page(world, key, query)).Ids)));
    }

    [Theory]
    [InlineData("limit=0", "limit", "invalid_request")]
    [InlineData("limit=101", "limit", "invalid_request")]
    [InlineData("limit=1&limit=2", "limit", "invalid_request")]
    [InlineData("type=payment", "type", "invalid_request")]
    [InlineData("type=", "type", "invalid_request")]
    [InlineData("status=Completed", "status", "invalid_request")]
    [InlineData("currency=XYZ", "currency", "invalid_currency")]
    [InlineData("wallet_id=x", "wallet_id", "invalid_request")]
    [InlineData("starting_after=5", "starting_after", "invalid_request")]
    [InlineData("date_from=yesterday", "date_from", "invalid_request")]
    [InlineData("date_to=2030-02-30", "date_to", "invalid_request")]
    [InlineData("date_to=2030-01-01T00:00:00%2B02:00", "date_to", "invalid_request")]
    [InlineData("page=1", "page", "invalid_request")]
    public async Task A_bad_parameter_is_400_and_is_named(string query, string name, string code)
    {
        await using var world = await World.Start(cluster);
        var got = await world.Send(HttpMethod.Get, $"/transactions?{query}", null, ("X-API-Key", await (await world.Account()).ApiKey()));
        Assert.Equal((400, code), (got.Status, got.ErrorCode));
        Assert.True(got.Json.GetProperty("error").GetProperty("details").TryGetProperty(name, out _));
    }

    [Fact]
    public async Task Paging_while_others_write_gives_each_movement_once_and_in_order()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var earlier = new List<string>();
        for (var i = 0; i < 60; i++)
            earlier.Add((await TransferTests.Fund(account, account.DefaultWallet, "ETH", "1")).Id.ToString());
        var key = await account.ApiKey();
        using var enough = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
                await TransferTests.Fund(account, account.DefaultWallet, "ETH", "1");
        }, Ct);
        var seen = new List<string>();
        for (string? cursor = "limit=7"; cursor is not null;)
        {
            var (ids, next) = await Page(world, key, cursor);
            Assert.InRange(ids.Count, 1, 7);
            seen.AddRange(ids);
            cursor = next is null ? null : $"limit=7&starting_after={next}";
        }

        await enough.CancelAsync();
        await writing;
        Assert.Equal(seen.Distinct().OrderDescending(StringComparer.Ordinal), seen);
        Assert.Equal(earlier.OrderDescending(StringComparer.Ordinal), seen.Where(earlier.Contains));
    }

    [Fact]
    public async Task A_filter_that_hardly_matches_looks_at_a_bounded_piece_and_still_finds_all()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var expected = new List<MovementId>();
        for (var i = 0; i < 47; i++)
        {
            var movement = await TransferTests.Fund(account, account.DefaultWallet, i % 16 == 3 ? "TRX" : "ETH", "1");
            if (movement.Currency == "TRX")
                expected.Insert(0, movement.Id);
        }

        var found = new List<MovementId>();
        var pages = 0;
        for (Guid? before = Guid.AllBitsSet; before is { } cursor; pages++)
        {
            var filter = new MovementFilter(cursor, Guid.Empty, null, null, "TRX", null);
            (var page, before) = await ListMovements.Run(world.App.Db, account.Id, account.Account.Shard, filter, 2, Ct, scanMax: 10);
            found.AddRange(page.Select(m => m.Movement.Id));
        }

        Assert.Equal(expected.OrderByDescending(id => id.Value), found);
        Assert.Equal(5, pages);
    }

    [Fact]
    public async Task A_page_is_one_range_scan_whatever_the_planner_believes()
    {
        await using var world = await World.Start(cluster);
        await world.Execute("""
            INSERT INTO movement_made (shard, account_id, id, kind, state, sighting, wallet_id, currency, amount, fee, effective_at, updated_at, reference,
                reference_text)
            SELECT 0, CASE WHEN n % 10 < 8 THEN '00000000-0000-0000-0000-000000000001'::uuid ELSE gen_random_uuid() END, gen_random_uuid(), 4, 7, 0,
                gen_random_uuid(), 'ETH', 1, 0, now(), now(), gen_random_uuid(), n::text
            FROM generate_series(1, 40000) n
            """);
        // One in ten has changed: few enough to be read all, if the planner were free to.
        await world.Execute("""
            INSERT INTO movement_change (shard, id, state, sighting, updated_at)
            SELECT 0, CASE WHEN n % 10 = 0 THEN id ELSE gen_random_uuid() END, 6, 0, now()
            FROM (SELECT id, row_number() OVER () AS n FROM movement_made) m WHERE n % 10 < 2
            """);
        await world.Execute("ANALYZE movement_made, movement_change");
        var plan = await world.Query<string>($"""
            SET plan_cache_mode = force_generic_plan;
            PREPARE page (smallint, uuid, uuid, uuid, int, smallint, smallint[], text, uuid[], int) AS {TransactionSql.Page};
            EXPLAIN (FORMAT JSON) EXECUTE page (0::smallint, '00000000-0000-0000-0000-000000000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff',
                '00000000-0000-0000-0000-000000000000', 20000, NULL, NULL, 'ETH', NULL, 21)
            """);
        Assert.Contains("\"Index Name\": \"movement_key\"", plan, StringComparison.Ordinal);
        Assert.Contains("\"Scan Direction\": \"Backward\"", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Bitmap", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Merge", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Hash", plan, StringComparison.Ordinal);
        Assert.Contains("((id = m_1.id) AND (shard = m_1.shard))", plan, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Movements_and_wallets_of_others_answer_as_random_ids_do()
    {
        await using var world = await World.Start(cluster);
        var (mine, other, third) = (await world.Account(), await world.Account(), await world.Account());
        await TransferTests.Fund(mine, mine.DefaultWallet, "ETH", "1");
        var foreign = new[] { await TransferTests.Fund(other, other.DefaultWallet, "ETH", "1"), await TransferTests.Fund(third, third.DefaultWallet, "ETH", "1") };
        var key = await mine.ApiKey();
        foreach (var (path, ids) in new[]
        {
            ("/transactions/", foreign.Select(m => m.Id.Value)), ("/transactions?wallet_id=", foreign.Select(m => m.Wallet.Value)),
        })
        {
            var answers = new List<string>();
            foreach (var id in ids.Append(world.Ids.New()))
            {
                var got = await world.Send(HttpMethod.Get, path + id, null, ("X-API-Key", key));
                Assert.Equal((404, "not_found"), (got.Status, got.ErrorCode));
                answers.Add(got.Text.Replace(got.Header("Request-Id")!, "", StringComparison.Ordinal));
            }

            Assert.Single(answers.Distinct());
        }

        Assert.Equal(400, (await world.Send(HttpMethod.Get, "/transactions/5", null, ("X-API-Key", key))).Status);
        Assert.Single((await Page(world, key, "")).Ids);
    }

    [Fact]
    public async Task A_credential_that_is_limited_to_wallets_sees_their_side_only()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var (seen, hidden) = (await account.Wallet("Seen"), await account.Wallet("Hidden"));
        var eth = world.App.Currencies.Find("ETH");
        var secret = await TransferTests.Fund(account, hidden, "ETH", "1");
        var shared = await Write(account, new Transfer(account.Id, hidden, eth, Reference.Of("t"), seen, 5, null));
        var key = await account.ApiKey(wallets: [seen.Value]);
        Assert.Equal([shared.Id.ToString()], (await Page(world, key, "")).Ids);
        Assert.Equal(404, (await world.Send(HttpMethod.Get, $"/transactions/{secret.Id}", null, ("X-API-Key", key))).Status);
        Assert.Equal(404, (await world.Send(HttpMethod.Get, $"/transactions?wallet_id={hidden}", null, ("X-API-Key", key))).Status);
        var detail = JsonDocument.Parse(await Body(world, key, $"/transactions/{shared.Id}")).RootElement;
        Assert.Equal("transfer_in", Assert.Single(detail.GetProperty("postings").EnumerateArray()).GetProperty("kind").GetString());
    }

    [Fact]
    public async Task The_first_version_since_a_time_is_found_for_every_time()
    {
        var clock = new FakeTime(_start);
        await using var world = await World.Start(cluster, time: clock);
        var account = await world.Account();
        var key = new BalanceKey(account.Id, "ETH", account.DefaultWallet);
        Assert.Equal(1, await world.App.Db.FirstVersion(account.Account.Shard, key, _start, Ct));
        for (var i = 0; i < 13; i++, clock.Now += TimeSpan.FromSeconds(i % 3))
            await TransferTests.Fund(account, account.DefaultWallet, "ETH", "1");
        for (var seconds = -1; seconds < 15; seconds++)
        {
            var at = _start.AddSeconds(seconds);
            var expected = await world.Query<long>("SELECT coalesce(min(version), 14) FROM posting WHERE recorded_at >= $1", at.UtcDateTime);
            Assert.Equal((seconds, expected), (seconds, await world.App.Db.FirstVersion(account.Account.Shard, key, at, Ct)));
        }
    }

    /// <summary>The postings are these versions and kinds; each adds up to zero and is what the table holds, hash included.</summary>
    private static async Task AssertPostings(TestAccount account, string key, MovementId id, params (long Version, string Kind)[] expected)
    {
        var postings = JsonDocument.Parse(await Body(account.World, key, $"/transactions/{id}")).RootElement.GetProperty("postings").EnumerateArray().ToList();
        Assert.Equal(expected, postings.Select(p => (p.GetProperty("version").GetInt64(), p.GetProperty("kind").GetString()!)));
        foreach (var posting in postings)
        {
            Int128 Units(JsonElement text) => Int128.Parse(text.GetString()!.Replace(".", "", StringComparison.Ordinal), System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(Int128.Zero, posting.GetProperty("changes").EnumerateObject().Aggregate(Int128.Zero, (sum, c) => sum + Units(c.Value)));
            var stored = await account.World.Query<string>("""
                SELECT concat_ws(' ', encode(hash, 'hex'), available_after, incoming_after, held_after) FROM posting
                WHERE movement_id = $1 AND wallet_id = $2 AND version = $3
                """, id.Value, posting.GetProperty("wallet_id").GetGuid(), posting.GetProperty("version").GetInt64());
            var after = posting.GetProperty("after");
            Assert.Equal(stored, string.Join(" ", posting.GetProperty("hash").GetString(), Units(after.GetProperty("available")),
                Units(after.GetProperty("incoming")), Units(after.GetProperty("held"))));
        }
    }

    private static async Task<Movement> Write(TestAccount account, Command command) =>
        (await account.World.App.Ledger.Write(account.Account.Shard, command)).Accepted();

    private static async Task<(List<string> Ids, string? Next)> Page(World world, string key, string query)
    {
        var json = JsonDocument.Parse(await Body(world, key, $"/transactions?{query}")).RootElement;
        var next = json.GetProperty("next_cursor").GetString();
        Assert.Equal(next is not null, json.GetProperty("has_more").GetBoolean());
        return ([.. json.GetProperty("transactions").EnumerateArray().Select(t => t.GetProperty("id").GetString()!)], next);
    }

    private static async Task<string> Body(World world, string key, string path)
    {
        var got = await world.Send(HttpMethod.Get, path, null, ("X-API-Key", key));
        Assert.True(got.Status == 200, got.Text);
        return got.Text;
    }
}
