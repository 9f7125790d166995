using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Coffer.Chains;
using Coffer.Server.Commands;
using Coffer.Server.Rates;
using Coffer.Server.Signer;
using Coffer.Tests.OpenApi;

namespace Coffer.Tests.Docs;

/// <summary>
/// What the documents show is taken by the program that they are about: command lines, files, answers. The requests with their answers run
/// in <see cref="QuickstartTests"/> and <see cref="Cli.ReadmeTests"/>, the receivers in <see cref="ReceiverTests"/>.
/// </summary>
public sealed partial class SamplesTests
{
    private const string Id = "01946921-2e07-7000-8799-aaa0c9d163ca";

    private static IEnumerable<string> Pages { get; } =
        [.. new[] { Checkout.Path("README.md") }.Concat(Directory.GetFiles(Checkout.Path("docs"), "*.md")).Select(File.ReadAllText)];

    [Fact]
    public void Every_command_line_is_one_that_the_program_takes()
    {
        var root = CommandLine.Root();
        var lines = Pages.SelectMany(page => Line().Matches(page)).Select(match => match.Groups["line"].Value.Trim()).ToLookup(Chooses);
        Assert.True(lines[false].Count() > 30, $"Only {lines[false].Count()} are found.");
        foreach (var line in lines[false])
        {
            var parsed = root.Parse(Words(line));
            Assert.True(parsed.Errors.Count == 0, $"coffer {line}: {string.Join(' ', parsed.Errors.Select(error => error.Message))}");
        }

        // Here commands are only named, without what they need.
        var named = Pages.SelectMany(page => Named().Matches(page)).Select(match => match.Groups["line"].Value);
        foreach (var line in named.Concat(lines[true].SelectMany(Choices)))
            Assert.True(root.Parse([.. Words(line), "--help"]).UnmatchedTokens.Count == 0, line);
    }

    [Fact]
    public void The_table_of_options_is_that_of_serve()
    {
        var rows = Row().Matches(Pages.First()).Select(row => (Option: row.Groups["option"].Value, Variable: row.Groups["variable"].Value)).ToList();
        Assert.All(rows, row => Assert.Equal(row.Option.TrimStart('-').Replace('-', '_').ToUpperInvariant(), row.Variable));
        var serve = CommandLine.Root().Subcommands.Single(command => command.Name == "serve");
        Assert.Equal(serve.Options.Select(option => option.Name).Where(name => name != "--json").Order(), rows.Select(row => row.Option).Order());
    }

    [Fact]
    public async Task Every_file_and_answer_that_is_shown_is_one_that_is_read_or_given()
    {
        var answers = new List<JsonObject>();
        var files = 0;
        foreach (var shown in Pages.SelectMany(page => Shown().Matches(page)).Select(match => match.Groups["json"].Value))
        {
            var json = JsonNode.Parse(shown)!.AsObject();
            switch (json.First().Key)
            {
                case "chains":
                    Assert.NotEmpty(ChainsFile.Parse(Encoding.UTF8.GetBytes(shown)));
                    files++;
                    break;
                case "id":
                    Assert.Single(ChainsFile.Parse(Encoding.UTF8.GetBytes($$"""{"chains":[{{shown}}]}""")));
                    files++;
                    break;
                case "sources":
                    Assert.NotEmpty(PricesFile.Parse(Encoding.UTF8.GetBytes(shown)).Sources);
                    files++;
                    break;
                case "listen":
                    var file = Path.Combine(Directory.CreateTempSubdirectory("coffer-sample-").FullName, "signer.json");
                    await File.WriteAllTextAsync(file, shown, TestContext.Current.CancellationToken);
                    Assert.NotEmpty(SignerFileReader.Read(file).Chains);
                    Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
                    files++;
                    break;
                case "alert_id":
                    answers.Add(Answer("/events", new JsonObject
                    {
                        ["events"] = new JsonArray(new JsonObject
                        {
                            ["id"] = $"evt_{Id.Replace("-", "", StringComparison.Ordinal)}_1",
                            ["sequence"] = 1,
                            ["type"] = "balance.low",
                            ["timestamp"] = "2026-01-15T10:05:00Z",
                            ["data"] = json,
                        }),
                        ["has_more"] = false,
                        ["next_cursor"] = 1,
                    }));
                    break;
                default:
                    answers.Add(Answer("/rates/ETH", json));
                    break;
            }
        }

        Assert.Equal((6, 2), (files, answers.Count));
        var list = Path.GetTempFileName();
        await File.WriteAllLinesAsync(list, answers.Select(one => one.ToJsonString()), TestContext.Current.CancellationToken);
        Assert.Equal("2 answers, 0 faults", (await Answers.Check(list)).Trim());
        File.Delete(list);
    }

    private static JsonObject Answer(string path, JsonObject body) => new()
    {
        ["test"] = nameof(SamplesTests),
        ["method"] = "GET",
        ["path"] = path,
        ["sent"] = null,
        ["status"] = 200,
        ["type"] = "application/json",
        ["headers"] = new JsonObject
        {
            ["request-id"] = "req_1",
            ["ratelimit"] = "\"credential\";r=1;t=1",
            ["ratelimit-policy"] = "\"credential\";q=1;w=1",
        },
        ["body"] = body.ToJsonString(),
    };

    /// <summary>"a b|c d" stands for "a b d" and "a c d".</summary>
    private static IEnumerable<string> Choices(string line)
    {
        var words = line.Split(' ');
        var at = Array.FindIndex(words, Chooses);
        return at < 0 ? [line]
            : words[at].Split('|').SelectMany(choice => Choices(string.Join(' ', [.. words[..at], choice, .. words[(at + 1)..]])));
    }

    private static bool Chooses(string text) => text.Contains('|', StringComparison.Ordinal);

    private static string[] Words(string line) =>
        [.. Word().Matches(line).Select(word => word.Value.Replace("\"", "", StringComparison.Ordinal)).Select(word => word == "ID" ? Id : word)];

    [GeneratedRegex(@"^ +\./coffer (?<line>.+?)(?= {2,}| *#| \| |$)", RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex("`(\\./)?coffer (?<line>[a-z][^`]*)`")]
    private static partial Regex Named();

    [GeneratedRegex("(\"[^\"]*\"|[^ \"])+")]
    private static partial Regex Word();

    [GeneratedRegex("^\\| `(?<option>--[a-z-]+)` \\| `COFFER_(?<variable>[A-Z_]+)` ", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("(?<!```\n)```json\n(?<json>[^`]*)```")]
    private static partial Regex Shown();
}
