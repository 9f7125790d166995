using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Coffer.Server.Host;

namespace Coffer.Tests.Docs;

/// <summary>The table of errors is written from the code: COFFER_WRITE_DOCS=1 writes it, and without that it must be as it would be written.</summary>
public sealed partial class ErrorsPageTests
{
    private const string Mark = "<!-- written from the code by the tests: COFFER_WRITE_DOCS=1 -->\n";

    [Fact]
    public async Task The_table_of_errors_is_what_the_code_answers()
    {
        var file = Checkout.Path("docs", "errors.md");
        var page = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        var head = page[..(page.IndexOf(Mark, StringComparison.Ordinal) + Mark.Length)];
        var wanted = head + Table();
        if (Environment.GetEnvironmentVariable("COFFER_WRITE_DOCS") == "1")
            await File.WriteAllTextAsync(file, wanted, TestContext.Current.CancellationToken);
        else
            Assert.Equal(wanted, page);
    }

    private static string Table()
    {
        var docs = XDocument.Load(Path.Combine(AppContext.BaseDirectory, "Coffer.xml")).Descendants("member")
            .ToDictionary(member => member.Attribute("name")!.Value, member => Spaces().Replace(member.Element("summary")?.Value ?? "", " ").Trim());
        var table = new StringBuilder("\n| status | code | when |\n| --- | --- | --- |\n");
        foreach (var code in Enum.GetValues<RefusalCode>())
        {
            var (status, text) = (Errors.Status(code), docs[$"F:Coffer.RefusalCode.{code}"]);
            Assert.StartsWith($"{status}: ", text, StringComparison.Ordinal);
            table.Append(CultureInfo.InvariantCulture, $"| {status} | `{Errors.Name(code)}` | {text[5..]} |\n");
        }

        return table.Append("| 500 | `internal_error` | something went wrong here: nothing about the request need change; quote the `request_id` |\n").ToString();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
