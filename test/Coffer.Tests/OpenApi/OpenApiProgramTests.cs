using Coffer.Tests.Docs;

namespace Coffer.Tests.OpenApi;

/// <summary>What others make of the description: two linters, a generator of clients. Their packages come from the lock file in test/openapi.</summary>
public sealed class OpenApiProgramTests(TestCluster cluster)
{
    private static readonly TimeSpan InstallTime = TimeSpan.FromMinutes(5), RunTime = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Linters_find_nothing_and_a_generated_client_compiles_and_works()
    {
        var place = Directory.CreateTempSubdirectory("coffer-openapi-");
        try
        {
            foreach (var file in Directory.GetFiles(Checkout.Path("test", "openapi")))
                File.Copy(file, Path.Combine(place.FullName, Path.GetFileName(file)));
            File.Copy(Checkout.Path("docs", "openapi.json"), Path.Combine(place.FullName, "openapi.json"));
            await Programs.Run(place.FullName, "npm", ["ci", "--ignore-scripts"], InstallTime, []);
            await Run("redocly", "lint", "--extends", "recommended-strict", "openapi.json");
            await Run("spectral", "lint", "--fail-severity", "hint", "--ruleset", ".spectral.json", "openapi.json");
            await Run("openapi-typescript", "openapi.json", "--output", "api.ts");
            await Run("tsc", "--project", ".");

            await using var world = await World.Start(cluster);
            var account = await world.Account();
            var said = await Programs.Run(place.FullName, "node", ["client.js"], RunTime,
                ("COFFER_URL", world.App.BaseUrl), ("COFFER_TOKEN", await account.Token()));
            Assert.Equal("usdterc20 100.00 invalid_request 404 not_found", said.Trim());
        }
        finally
        {
            place.Delete(recursive: true);
        }

        async Task Run(string program, params string[] arguments) =>
            await Programs.Run(place.FullName, Path.Combine(place.FullName, "node_modules", ".bin", program), arguments, RunTime,
                ("REDOCLY_TELEMETRY", "off"), ("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true"));
    }
}
