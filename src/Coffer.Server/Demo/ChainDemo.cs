using System.Text.Json;
using Coffer.Server.Commands;
using Coffer.Server.Host;
using Coffer.Server.Wallets;

namespace Coffer.Server.Demo;

/// <summary>
/// The live account of <c>coffer demo --chain anvil</c>, in a file of the data folder so that every start shows the same one. Made once the
/// server runs, the way an operator and a customer would. If the process dies before the file is there, the next start makes another account.
/// </summary>
internal sealed record ChainDemo(Guid AccountId, Guid WalletId, string ApiKey, string Address)
{
    private const string Name = "anvil.json";

    private static readonly JsonSerializerOptions _form = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    public static async Task<ChainDemo> Of(string folder, App app, Workplace work, CancellationToken ct)
    {
        var file = Path.Combine(folder, Name);
        if (File.Exists(file))
            return JsonSerializer.Deserialize<ChainDemo>(await File.ReadAllBytesAsync(file, ct), _form)
                ?? throw new SetupFailure($"{file} is not what the demo wrote: delete it.");
        var (account, wallet) = await CreateAccount.Run(work.Db, work.Ids, work.Clock, work.Shards, "Demo on anvil", Mode.Live, null, ct);
        var (key, _) = await app.Issue.ApiKey(account, "Demo key", Scopes.Read | Scopes.Write, null, null, null, ct);
        var currency = work.Currencies.All.First(one => one.Network == AnvilNode.Network && one.Contract is null);
        var address = await app.Addresses.Run(account.Id, account.Shard, account.Mode, wallet.Id, currency, ct);
        var made = new ChainDemo(account.Id.Value, wallet.Id.Value, key, address.Address);
        PrivateFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(made, _form));
        return made;
    }

    /// <summary>What to do with it, as lines for a shell.</summary>
    public string Screen(string baseUrl, Uri node) => $$"""

        # A real chain: an Ethereum node of its own on {{node}}, a block a second. This pays 1.5 ETH to the live account's address;
        # it is pending with its block and available with the twelfth
        curl -s {{node}} -H "Content-Type: application/json" -d '{"jsonrpc":"2.0","id":1,"method":"eth_sendTransaction",
          "params":[{"from":"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266","to":"{{Address}}","value":"0x14d1120d7b160000"}]}'
        curl "{{baseUrl}}/wallets/balances?wallet_id={{WalletId}}" -H "X-API-Key: {{ApiKey}}"

        # Where a deposit is and why: with the "result" of the payment as TXID
        curl {{baseUrl}}/deposits/TXID -H "X-API-Key: {{ApiKey}}"

        """;
}
