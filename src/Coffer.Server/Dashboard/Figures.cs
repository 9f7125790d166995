using System.Globalization;
using System.Numerics;
using Microsoft.AspNetCore.Html;

namespace Coffer.Server.Dashboard;

/// <summary>How figures, times and words of the API look on a page.</summary>
internal static class Figures
{
    // Characters of a figure that is written smaller, so that it stays on its line.
    private const int LongFrom = 14;

    private const string Hidden = "<span class=\"hidden\"><span aria-hidden=\"true\">••••</span><span class=\"sr\">hidden</span></span>";

    /// <summary>An amount to the digit; zeros at its end are written paler. Hidden where the user wants that: then it is not in the page.</summary>
    public static IHtmlContent Amount(string text, bool hidden, string unit = "")
    {
        if (text.Length == 0)
            return new HtmlString("<span class=\"none\">unknown</span>");
        if (hidden)
            return new HtmlString(Hidden);
        var html = new HtmlContentBuilder().AppendHtml(IsLong(text) ? "<span class=\"amount long\">" : "<span class=\"amount\">");
        var end = text.Contains('.') ? text.TrimEnd('0').TrimEnd('.').Length : text.Length;
        html.Append(text[..end]);
        if (end < text.Length)
            html.AppendHtml("<span class=\"zeros\">").Append(text[end..]).AppendHtml("</span>");
        html.AppendHtml("</span>");
        if (unit.Length > 0)
            html.AppendHtml(" <span class=\"unit\">").Append(unit).AppendHtml("</span>");
        return html;
    }

    /// <summary>Whether a figure needs more room than most.</summary>
    public static bool IsLong(string text) => text.Length > LongFrom;

    /// <summary>A figure in US dollars; what has no price says so.</summary>
    public static IHtmlContent Usd(string text, bool hidden) =>
        text.Length == 0 ? new HtmlString("<span class=\"none\">no price</span>")
        : hidden ? new HtmlString(Hidden)
        : new HtmlContentBuilder().AppendHtml("<span class=\"amount\">").Append(text).AppendHtml("</span> <span class=\"unit\">USD</span>");

    /// <summary>A moment, always in UTC and saying so.</summary>
    public static IHtmlContent Time(string text)
    {
        if (text.Length == 0)
            return new HtmlString("<span class=\"none\">never</span>");
        var shown = DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC" : text;
        return new HtmlContentBuilder().AppendHtml("<time datetime=\"").Append(text).AppendHtml("\">").Append(shown).AppendHtml("</time>");
    }

    /// <summary>The same under a heading that says UTC: a day, or an hour of one.</summary>
    public static IHtmlContent Bucket(string text, bool daily) => new HtmlContentBuilder().AppendHtml("<time datetime=\"").Append(text).AppendHtml("\">")
        .Append(daily ? text[..10] : $"{text[..10]} {text[11..16]}").AppendHtml("</time>");

    /// <summary>A status word of the API as a badge; what is wrong is told by the word, not by the colour alone.</summary>
    public static IHtmlContent Status(string word)
    {
        var tone = word switch
        {
            "completed" or "confirmed" or "credited" or "enabled" or "delivered" or "ok" or "following" or "holds" => "good",
            "failed" or "rejected" or "reversed" or "expired" or "disabled" or "orphaned" or "given_up" or "alarm" or "below" or "wrong" => "bad",
            "cancelled" or "not_credited" or "dropped" => "off",
            _ => "busy",
        };
        return new HtmlContentBuilder().AppendHtml($"<span class=\"badge {tone}\">").Append(Words(word)).AppendHtml("</span>");
    }

    /// <summary><c>partially_paid</c> as people write it.</summary>
    public static string Words(string word) => word.Length == 0 ? "" : char.ToUpperInvariant(word[0]) + word[1..].Replace('_', ' ');

    /// <summary>A long id or address that may break anywhere and is copied whole.</summary>
    public static IHtmlContent Code(string text) =>
        text.Length == 0 ? HtmlString.Empty : new HtmlContentBuilder().AppendHtml("<code>").Append(text).AppendHtml("</code>");

    /// <summary>What stands where there is nothing to show.</summary>
    public static IHtmlContent None(string text) => new HtmlContentBuilder().AppendHtml("<span class=\"none\">").Append(text).AppendHtml("</span>");

    /// <summary>The thousandths that one figure is of another; 0 when either is unknown. Whole numbers all the way.</summary>
    public static int PerMille(string part, string whole)
    {
        if (Whole(part) is not { } a || Whole(whole) is not { } b || b <= 0 || part.Length == 0)
            return 0;
        return (int)BigInteger.Min(1000, ((a * 2000) + b) / (b * 2));
    }

    /// <summary>Thousandths as percent with one decimal.</summary>
    public static string Percent(int perMille) => string.Create(CultureInfo.InvariantCulture, $"{perMille / 10}.{perMille % 10} %");

    private static BigInteger? Whole(string cents) =>
        BigInteger.TryParse(cents.Replace(".", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number : null;
}
