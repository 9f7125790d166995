using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Coffer.Tests.Docs;

namespace Coffer.Tests.Cli;

/// <summary>What README.md shows is what the demo answers; only times and ids are its own.</summary>
public sealed partial class ReadmeTests : IDisposable
{
    private readonly DemoFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_examples_answer_what_the_readme_says()
    {
        var readme = await File.ReadAllTextAsync(Checkout.Path("README.md"), TestContext.Current.CancellationToken);
        using var demo = folder.Start();
        var ready = await demo.Ready(folder.ReadyFile);
        var variables = new StringBuilder("set -eu\n");
        foreach (var (name, member) in ((string, string)[])
            [("URL", "base_url"), ("WALLET", "trading_wallet_id"), ("KEY", "trading_api_key"), ("CLIENT", "client_id"),
            ("SECRET", "client_secret"), ("DEMO_KEY", "api_key")])
            variables.Append($"{name}='{DemoFolder.Text(ready, member)}'\n");
        var examples = Example().Matches(readme);
        Assert.Equal((9, 7), (examples.Count, examples.Count(example => example.Groups["json"].Success)));
        foreach (Match example in examples)
        {
            if (!example.Groups["json"].Success)
            {
                // A stream has no end of its own.
                var endless = example.Groups["sh"].Value.Replace("curl -N", "timeout 3 curl -sN", StringComparison.Ordinal);
                Assert.Matches(Unanswered(), await Shell($"{variables}set +e\n{endless}true"));
                continue;
            }

            var answered = JsonNode.Parse(await Shell($"{variables}{example.Groups["sh"].Value}"))!;
            var shown = JsonNode.Parse(example.Groups["json"].Value)!;
            if (shown["history"] is JsonArray { Count: 1 } day)
            {
                // Which day had how much depends on when the demo was first started; the shape and the summary do not.
                Assert.Equal(7, answered["history"]!.AsArray().Count);
                Assert.Equal(Names(day[0]!), Names(answered["history"]![0]!));
                answered["history"] = new JsonArray();
                shown["history"] = new JsonArray();
            }

            Assert.Equal(Own().Replace(shown.ToJsonString(), "*"), Own().Replace(answered.ToJsonString(), "*"));
            // The next example may use what this one set.
            if (example.Groups["sh"].Value.Contains("TOKEN=", StringComparison.Ordinal))
                variables.Append(example.Groups["sh"].Value.Replace("curl -s \"$URL/user", ": \"$URL/user", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_first_screen_can_be_pasted_into_a_shell()
    {
        using var demo = folder.Start();
        await demo.Ready(folder.ReadyFile);
        for (var waiting = Stopwatch.StartNew(); !demo.Output.Contains("Ctrl-C", StringComparison.Ordinal);)
        {
            Assert.True(waiting.Elapsed < TimeSpan.FromMinutes(1), demo.Output);
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        var lines = demo.Output.Split('\n').Where(line => !line.StartsWith("Coffer ", StringComparison.Ordinal)
            && !line.StartsWith("Ctrl-C ", StringComparison.Ordinal));
        var output = await Shell("set -eu\nalias curl='curl -sf -w \"\\n\"'\nshopt -s expand_aliases\n" + string.Join('\n', lines));
        Assert.Equal(6, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.DoesNotContain("\"error\"", output, StringComparison.Ordinal);
    }

    [GeneratedRegex("```sh\n(?<sh>[^`]*)```(\n```json\n(?<json>[^`]*)```)?")]
    private static partial Regex Example();

    /// <summary>What the two without an answer print: where the chain is, and the first events.</summary>
    [GeneratedRegex("^\\{\"height\":[0-9]+,|^retry: [0-9]+\nid: 0\n\nid: 1\nevent: deposit\\.[a-z]+\ndata: \\{.*\n\nid: 2\n")]
    private static partial Regex Unanswered();

    [GeneratedRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z|[0-9a-f]{8}-[0-9a-f-]{27}|sim1[0-9a-f]{48}|evt_[0-9a-f]{32}|[0-9a-f]{64}|whsec_[^\"]+")]
    private static partial Regex Own();

    private static IEnumerable<string> Names(JsonNode node) => node.AsObject().Select(member => member.Key);

    private static Task<string> Shell(string script) => Programs.Run(Path.GetTempPath(), "bash", ["-c", script], TimeSpan.FromMinutes(2));
}
