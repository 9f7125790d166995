using System.CommandLine;
using Coffer.Server.Rates;

namespace Coffer.Server.Commands;

/// <summary><c>coffer rate set</c>.</summary>
internal static class RateCommand
{
    private const string Source = "operator";

    public static Command Make() => new("rate", "Prices in US dollars") { Set() };

    private static Command Set()
    {
        var command = new Documented("set", "Set the price of one whole unit", """
            Examples:
              coffer rate set ETH 2345.258
              coffer rate set USDTERC20 0.9999 --at 2026-01-31T12:00:00Z
            """);
        var currency = new Argument<string>("CURRENCY") { Description = "Its code, in any case" };
        var price = new Argument<string>("PRICE") { Description = "US dollars, a decimal number" };
        var at = Texts.Option("--at", "TIME", "When it was known (now)");
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        command.Arguments.Add(currency);
        command.Arguments.Add(price);
        command.Options.Add(at);
        command.Options.Add(json);
        command.SetAction(async (parsed, ct) =>
        {
            var time = Texts.Time(parsed.GetValue(at), "--at");
            var text = parsed.GetValue(price)!;
            if (!UsdPrice.TryParse(text, out _, out var fault))
                throw new Misuse($"PRICE \"{text}\" is no price in US dollars: {fault.Sentence(UsdPrice.Decimals)}");
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var code = Texts.Currency(work.Currencies, parsed.GetValue(currency)!).Code;
            var now = work.Clock.GetUtcNow();
            if (time > now)
                throw new Misuse("--at lies in the future; give a time that is not later than now.");
            var set = await SetRate.Run(work.Db, work.Currencies, work.Clock, code, text, time, Source, ct);
            Output.Of(parsed, json).Write(new Price(code, set.ToString(), time ?? now), $"One {code} is {set} US dollars.");
            return CommandLine.Done;
        });
        return command;
    }

    private sealed record Price(string Currency, string RateUsd, DateTimeOffset At);
}
