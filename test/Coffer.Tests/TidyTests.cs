using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Coffer.Tests;

/// <summary>The plan of the house (ARCHITECTURE.md), checked over the source text: who may import whom, who writes which table, and sizes.</summary>
public sealed partial class TidyTests
{
    private const int FileLinesMax = 400;
    private const int LineLengthMax = 160;

    // A folder may import those of the storeys below its own, never those beside it.
    private static readonly string[][] _storeys =
    [
        ["", "Commands", "Demo"],
        ["Proofs"],
        ["Chain"],
        ["Payouts"],
        ["Wallets", "Balances", "Payments", "Withdrawals", "Webhooks", "Alerts", "Rates", "Dashboard", "OpenApi", "Signer"],
        ["Addresses"],
        ["Auth", "Ledger"],
        ["Events", "Outbound"],
        ["Host", "Sql"],
    ];

    // Program's own folders, Auth and Ledger, Host and Sql are foundations that know their neighbour.
    private static readonly int[] _foundations = [0, 6, 8];

    private static readonly string _root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "..", ".."));

    private static IEnumerable<(string Path, string Text)> Sources(string folder, string pattern = "*.cs") =>
        Directory.EnumerateFiles(Path.Combine(_root, folder), pattern, SearchOption.AllDirectories)
            .Select(file => (Path.GetRelativePath(_root, file), File.ReadAllText(file)));

    private static IEnumerable<(string Folder, string File, string Text)> Server() => Sources("src/Coffer.Server").Select(source =>
    {
        var parts = source.Path.Split('/');
        return (parts.Length > 3 ? parts[2] : "", parts[^1], source.Text);
    });

    [Fact]
    public void Folders_import_downwards_only()
    {
        var wrong = from source in Server()
                    let own = Storey(source.Folder)
                    from Match import in Import().Matches(source.Text)
                    let target = import.Groups[1].Value
                    where target != source.Folder && (Storey(target) < own || (Storey(target) == own && !_foundations.Contains(own)))
                    select $"{source.Folder}/{source.File} imports {target}";
        Assert.Empty(wrong);
    }

    [Fact]
    public void The_signer_needs_no_database_and_no_room_of_the_server() => Assert.Empty(from source in Server()
                                                                                         where source.Folder == "Signer"
                                                                                         from Match import in Import().Matches(source.Text)
                                                                                         where import.Groups[1].Value != "Host"
                                                                                         select $"{source.File} imports {import.Groups[1].Value}");

    [Fact]
    public void Only_sql_files_speak_to_the_database() => Assert.Empty(from source in Server()
                                                                       where source.Text.Contains("using Npgsql", StringComparison.Ordinal)
                                                                           && source.Folder != "Sql" && !source.File.EndsWith("Sql.cs", StringComparison.Ordinal)
                                                                       select $"{source.Folder}/{source.File}");

    [Fact]
    public void Only_the_rim_sees_a_request() => Assert.Empty(from source in Server()
                                                              where HttpContextWord().IsMatch(source.Text) && source.Folder is not ("Host" or "Auth" or "")
                                                                  && !source.File.EndsWith("Api.cs", StringComparison.Ordinal)
                                                              select $"{source.Folder}/{source.File}");

    [Fact]
    public void Every_table_has_one_writer()
    {
        var writers = from source in Server()
                      from Match write in Write().Matches(source.Text)
                      group $"{source.Folder}/{source.File}" by write.Groups[1].Value into table
                      where table.Distinct().Count() > 1
                      select $"{table.Key}: {string.Join(", ", table.Distinct())}";
        Assert.Empty(writers);
    }

    [Fact]
    public void Files_and_lines_fit_a_screen()
    {
        foreach (var (path, text) in Sources("src").Concat(Sources("test")).Concat(Sources("benchmarks")))
        {
            if (path.Contains("node_modules", StringComparison.Ordinal))
                continue;
            var lines = text.Split('\n');
            Assert.True(lines.Length <= FileLinesMax, $"{path} has {lines.Length} lines: which two rooms are in there?");
            if (path.StartsWith("src", StringComparison.Ordinal))
                Assert.All(lines, line => Assert.True(line.Length <= LineLengthMax, $"{path}: {line}"));
        }
    }

    [Fact]
    public void The_rules_need_nothing_but_the_base_library()
    {
        var foreign = typeof(AccountId).Assembly.GetReferencedAssemblies().Select(a => a.Name!)
            .Where(name => !name.StartsWith("System.", StringComparison.Ordinal) && name != "netstandard");
        Assert.Empty(foreign);
        Assert.DoesNotContain(Sources("src/Coffer"), source => Outside().IsMatch(source.Text));
    }

    private static int Storey(string folder)
    {
        var storey = Array.FindIndex(_storeys, s => s.Contains(folder));
        Assert.True(storey >= 0, $"The folder {folder} has no place in the plan of the house.");
        return storey;
    }

    private static string Here([CallerFilePath] string path = "") => path;

    [GeneratedRegex(@"^using Coffer\.Server\.(\w+);", RegexOptions.Multiline)]
    private static partial Regex Import();

    [GeneratedRegex(@"\bHttpContext\b")]
    private static partial Regex HttpContextWord();

    [GeneratedRegex(@"\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(?!SET\b)([a-z_]+)\b")]
    private static partial Regex Write();

    [GeneratedRegex(@"using System\.(IO|Net)\b|TimeProvider|Random\.Shared|RandomNumberGenerator")]
    private static partial Regex Outside();
}
