using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Html;
using QRCoder;

namespace Coffer.Server.Dashboard;

/// <summary>A QR code as a drawing inside the page: black on white in every theme, since some scanners read no other.</summary>
internal static class QrCode
{
    /// <summary>Draws the text; what it is for is said to those who do not see it.</summary>
    public static IHtmlContent Of(string text, string about)
    {
        using var maker = new QRCodeGenerator();
        using var code = maker.CreateQrCode(text, QRCodeGenerator.ECCLevel.M);
        var rows = code.ModuleMatrix;
        var path = new StringBuilder();
        for (var y = 0; y < rows.Count; y++)
        {
            for (var x = 0; x < rows[y].Length; x++)
            {
                if (rows[y][x])
                    path.Append(CultureInfo.InvariantCulture, $"M{x} {y}h1v1h-1z");
            }
        }

        return new HtmlContentBuilder()
            .AppendHtml($"<svg class=\"qr\" viewBox=\"0 0 {rows.Count} {rows.Count}\" shape-rendering=\"crispEdges\" role=\"img\" aria-label=\"")
            .Append(about).AppendHtml("\"><path fill=\"#000\" d=\"").AppendHtml(path.ToString()).AppendHtml("\"/></svg>");
    }
}
