using System.CommandLine;
using System.Globalization;
using Coffer.Server.Auth;
using Coffer.Server.Host;
using Coffer.Server.Withdrawals;

namespace Coffer.Server.Commands;

/// <summary><c>coffer withdrawal address</c>: which addresses an account may pay, where that is limited.</summary>
internal static class WithdrawalAddressCommand
{
    private const int WaitHoursMax = 720;
    private const int NameMax = 100;

    public static Command Make() => new("address", "The addresses that an account may pay") { Only(), Add(), Remove(), List() };

    private static Command Only()
    {
        var command = new Documented("only", "Say whether an account pays only the addresses of its list", $"""
            Examples:
              coffer withdrawal address only on --account ID --wait-hours 48
              coffer withdrawal address only off --account ID

            Off for every account until it is said. An address that is added is paid only when it has waited ({AccountSwitches.WaitHoursUsual} hours);
            those that are on the list already keep their time.
            """);
        var word = new Argument<string>("on|off") { Description = "What to do" }.AcceptOnlyFromAmong("on", "off");
        var account = Texts.Option("--account", "ID", "Whose", required: true);
        var wait = Texts.Option("--wait-hours", "N", $"How long an address waits that is added from now on, 0 to {WaitHoursMax} (as it was)");
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        command.Arguments.Add(word);
        foreach (var option in (Option[])[account, wait, json])
            command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            var hours = Hours(parsed.GetValue(wait));
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var owner = await AccountCommand.Find(work, parsed.GetValue(account)!, ct);
            await new AllowWithdrawals(work.Db, work.Clock).PayListOnly(owner.Shard, owner.Id, parsed.GetValue(word) == "on", hours, ct);
            await Tell(Output.Of(parsed, json), work, owner, ct);
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Add()
    {
        var command = new Documented("add", "Put an address on an account's list", """
            Example:
              coffer withdrawal address add --account ID --network ETH --address 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --name "cold store"

            A network of the chains file (--chains); for a test account any network of the currency file.
            """);
        var (account, network, address) = Options();
        var name = Texts.Option("--name", "NAME", "What it is", required: true);
        var who = Operator.Option();
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        foreach (var option in (Option[])[account, network, address, name, who, json])
            command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            var by = Operator.Name(parsed, who);
            var label = Operator.Line(parsed.GetValue(name)!, "--name", NameMax);
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var owner = await AccountCommand.Find(work, parsed.GetValue(account)!, ct);
            var (net, canonical) = Canonical(work, owner, parsed.GetValue(network)!, parsed.GetValue(address)!);
            var added = await new AllowWithdrawals(work.Db, work.Clock).AddAddress(owner.Shard, owner.Id, net, canonical, label, by, ct)
                ?? throw new SetupFailure($"{canonical} is on the account's list already.");
            Output.Of(parsed, json).Write(added, $"{added.Address} ({added.Network}) may be paid from {Wire.Time(added.PayableAt)} on.");
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Remove()
    {
        var command = new Documented("remove", "Take an address off an account's list", """
            Example:
              coffer withdrawal address remove --account ID --network ETH --address 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
            """);
        var (account, network, address) = Options();
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        foreach (var option in (Option[])[account, network, address, json])
            command.Options.Add(option);
        command.SetAction(async (parsed, ct) =>
        {
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            var owner = await AccountCommand.Find(work, parsed.GetValue(account)!, ct);
            var (net, canonical) = Canonical(work, owner, parsed.GetValue(network)!, parsed.GetValue(address)!);
            if (!await new AllowWithdrawals(work.Db, work.Clock).RemoveAddress(owner.Shard, owner.Id, net, canonical, ct))
                throw new SetupFailure($"{canonical} is not on the account's list of the network {net}.");
            Output.Of(parsed, json).Write(new { Network = net, Address = canonical, Removed = true }, $"{canonical} is off the list.");
            return CommandLine.Done;
        });
        return command;
    }

    private static Command List()
    {
        var command = new Documented("list", "Show an account's list of addresses", """
            Example:
              coffer withdrawal address list --account ID
            """);
        var account = Texts.Option("--account", "ID", "Whose", required: true);
        var place = PlaceOptions.AddTo(command);
        var json = Output.Option();
        command.Options.Add(account);
        command.Options.Add(json);
        command.SetAction(async (parsed, ct) =>
        {
            await using var work = await Workplace.Join(place.Read(parsed), mayMake: false, ct);
            await Tell(Output.Of(parsed, json), work, await AccountCommand.Find(work, parsed.GetValue(account)!, ct), ct);
            return CommandLine.Done;
        });
        return command;
    }

    private static async Task Tell(Output output, Workplace work, Account owner, CancellationToken ct)
    {
        var switches = await work.Db.Switches(owner.Shard, owner.Id, ct);
        var list = await work.Db.ListedAddresses(owner.Shard, owner.Id, ct);
        output.Write(new { AccountId = owner.Id.Value, switches.AddressesOnly, switches.AddressWaitHours, Addresses = list },
        [
            switches.AddressesOnly
                ? $"Account {owner.Id} pays only these addresses; a new one waits {switches.AddressWaitHours} hours."
                : $"Account {owner.Id} pays every address; its list does not count.",
            .. list.Select(one => $"  {one.Network} {one.Address} ({one.Name}), added by {one.AddedBy}, payable from {Wire.Time(one.PayableAt)}"),
        ]);
    }

    private static (Option<string> Account, Option<string> Network, Option<string> Address) Options() => (
        Texts.Option("--account", "ID", "Whose", required: true), Texts.Option("--network", "NETWORK", "Of the currencies, e.g. ETH", required: true),
        Texts.Option("--address", "ADDRESS", "The address", required: true));

    private static (string Network, string Address) Canonical(Workplace work, Account owner, string network, string address)
    {
        var name = network.ToUpperInvariant();
        if (work.Currencies.All.All(currency => currency.Network != name))
            throw new Misuse($"No currency of the currency file is on the network {network}.");
        var places = new PayoutPlaces(work.Chains, work.Currencies);
        if (owner.Mode == Mode.Live && places.Find(name) is null)
            throw new Misuse($"The chains file names no chain of the network {name}, so the address cannot be checked: name the file with --chains.");
        var read = places.Read(owner.Mode, name, address);
        return read.Canonical is { } canonical ? (name, canonical) : throw new Misuse($"--address: {read.Fault}");
    }

    private static int? Hours(string? text)
    {
        if (text is null)
            return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var hours) && hours <= WaitHoursMax
            ? hours : throw new Misuse($"--wait-hours must be a whole number from 0 to {WaitHoursMax}, not \"{text}\".");
    }
}
