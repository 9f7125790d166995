using Npgsql;

namespace Coffer.Tests.Http;

/// <summary>Whoever gets a copy of the database can do nothing with it at the API.</summary>
public sealed class SecretsAtRestTests(TestCluster cluster)
{
    [Fact]
    public async Task A_dump_of_the_database_holds_none_of_the_secrets_that_were_given_out()
    {
        await using var world = await World.Start(cluster);
        var account = await world.Account();
        var client = await account.Client();
        var token = (await world.Form("/o/token/", client, ("grant_type", "client_credentials"))).Json.GetProperty("access_token").GetString()!;
        var key = (await world.Send(HttpMethod.Post, "/api-keys", """{"name":"shown once"}""", ("Authorization", $"Bearer {token}")))
            .Json.GetProperty("key").GetString()!;
        var dump = await Dump(world.Database);
        Assert.Contains("shown once", dump);
        Assert.Contains(client.Id, dump);
        Assert.All(new[] { client.Secret, token, key, await account.ApiKey() }, secret =>
        {
            // Neither the text nor its random part, also not as bytea shows text.
            var body = secret[(secret.LastIndexOf('_') + 1)..^6];
            Assert.DoesNotContain(body, dump);
            Assert.DoesNotContain(Convert.ToHexStringLower(System.Text.Encoding.ASCII.GetBytes(body)), dump);
        });
    }

    /// <summary>Every row of every table as text.</summary>
    private static async Task<string> Dump(string database)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync();
        var tables = new List<string>();
        await using (var command = new NpgsqlCommand("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'", connection))
        await using (var row = await command.ExecuteReaderAsync())
        {
            while (await row.ReadAsync())
                tables.Add(row.GetString(0));
        }

        var dump = new System.Text.StringBuilder();
        foreach (var table in tables)
        {
            using var rows = await connection.BeginTextExportAsync($"COPY {table} TO STDOUT");
            dump.Append(await rows.ReadToEndAsync());
        }

        return dump.ToString();
    }
}
