using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Coffer.Tests.Cli;

namespace Coffer.Tests.Docs;

/// <summary>The quickstart, typed into one shell from top to bottom beside a running demo, answers what it says.</summary>
public sealed partial class QuickstartTests : IDisposable
{
    private const string End = "--- end of an example ---";
    private readonly DemoFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_quickstart_answers_what_it_says()
    {
        var page = await File.ReadAllTextAsync(Checkout.Path("docs", "quickstart.md"), TestContext.Current.CancellationToken);
        var examples = Example().Matches(page);
        Assert.Equal(4, examples.Count);
        // No example without its answer.
        Assert.Equal(examples.Count, Code().Count(page));
        using var demo = folder.Start();
        await demo.Ready(folder.ReadyFile);
        var script = new StringBuilder("set -eu\n");
        foreach (Match example in examples)
            script.Append(example.Groups["sh"].Value).Append($"echo; echo '{End}'\n");
        var printed = await Programs.Run(Path.GetDirectoryName(folder.ReadyFile)!, "bash", ["-c", script.ToString()], TimeSpan.FromMinutes(2));
        var answers = printed.Split(End, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(examples.Count, answers.Length);
        foreach (var (example, answer) in examples.Zip(answers))
            Assert.Equal(Plain(example.Groups["json"].Value), Plain(answer));
    }

    /// <summary>Only times, ids and addresses are each run's own.</summary>
    private static string Plain(string json) => Own().Replace(JsonNode.Parse(json)!.ToJsonString(), "*");

    [GeneratedRegex("```sh\n(?<sh>[^`]*)```\n```json\n(?<json>[^`]*)```")]
    private static partial Regex Example();

    [GeneratedRegex("^```sh$", RegexOptions.Multiline)]
    private static partial Regex Code();

    [GeneratedRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z|[0-9a-f]{8}-[0-9a-f-]{27}|sim1[0-9a-f]{48}")]
    private static partial Regex Own();
}
