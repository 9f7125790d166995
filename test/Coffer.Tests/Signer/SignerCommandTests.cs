using System.Text.Json;
using Coffer.Tests.Cli;

namespace Coffer.Tests.Signer;

/// <summary>The first minute of a signer, typed as an operator types it.</summary>
public sealed class SignerCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("coffer-signer-cli-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string In(string file) => Path.Combine(folder, file);

    [Fact]
    public async Task Keys_are_made_brought_in_and_shown_as_the_chains_file_wants_them()
    {
        await Secret("pass", "correct horse battery");
        var made = (await Run("init")).Json;
        Assert.Equal((In("keystore.json"), In("secret"), In("signer.log")), (Text(made, "keystore"), Text(made, "secret_file"), Text(made, "log")));
        Assert.Equal(["evm", "tron", "bitcoin", "bitcoin"], made.GetProperty("keys").EnumerateArray().Select(key => Text(key, "kind")));
        foreach (var file in (string[])["keystore.json", "secret", "signer.log"])
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(In(file)));

        // The first account of the words "test test ... junk", which every development node has.
        await Secret("evm", "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80\n");
        Assert.Equal("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
            Hot((await Run("import", "--family", "evm", "--key-file", In("evm"), "--name", "junk")).Json, "address"));
        // BIP84's vector: the account m/84'/0'/0' of "abandon ... about" and its first address.
        await Secret("zprv", "zprvAdG4iTXWBoARxkkzNpNh8r6Qag3irQB8PzEMkAFeTRXxHpbF9z4QgEvBRmfvqWvGp42t42nvgGpNgYSJA9iefm1yYNZKEm7z6qUWCroSQnE");
        var account = (await Run("import", "--family", "bitcoin", "--key-file", In("zprv"))).Json;
        Assert.Equal("zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs", Hot(account, "xpub"));
        Assert.Equal("bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", Text(account.GetProperty("keys")[0], "address"));

        var all = (await Run("address")).Json.GetProperty("keys").EnumerateArray().ToArray();
        Assert.Equal(["main", "main", "main", "main", "junk", "bitcoin"], all.Select(key => Text(key, "key")));
        Assert.Equal(made.GetProperty("keys").GetRawText(), "[" + string.Join(',', all[..4].Select(key => key.GetRawText())) + "]");
        await Fails(1, "The keystore has a key junk already", "import", "--family", "evm", "--key-file", In("evm"), "--name", "junk");
        await Fails(1, "The keystore has this key already", "import", "--family", "evm", "--key-file", In("evm"));
        await Fails(1, "There is a keystore", "init");
    }

    [Fact]
    public async Task What_cannot_be_done_is_one_sentence()
    {
        await Secret("pass", "correct horse battery");
        await Fails(1, "There is no keystore", "address");
        await Fails(1, "There is no keystore", "import", "--family", "evm", "--key-file", In("none"));
        await Secret("short", "too short");
        OneSentence(await Binary.Run("signer", "init", "--keystore", In("keystore.json"), "--passphrase-file", In("short")), 2,
            "The passphrase must have at least 12 characters");
        OneSentence(await Binary.Run("signer", "init", "--keystore", In("keystore.json"), "--keystore-key", In("short")), 1, "must have exactly 32 bytes");
        Assert.False(File.Exists(In("keystore.json")));
        await Run("init");
        await Secret("wrong", "incorrect horse battery");
        OneSentence(await Binary.Run("signer", "address", "--keystore", In("keystore.json"), "--passphrase-file", In("wrong")), 1,
            "does not open: the passphrase is wrong, or the file was changed");
        await Secret("open", "correct horse battery");
        File.SetUnixFileMode(In("open"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        OneSentence(await Binary.Run("signer", "address", "--keystore", In("keystore.json"), "--passphrase-file", In("open")), 1,
            "can be read or written by others: run chmod 600");
        await Secret("zero", new string('0', 64));
        await Fails(1, "does not hold a secret key of 64 hex digits", "import", "--family", "evm", "--key-file", In("zero"));
        await Secret("xpub", "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs");
        await Fails(1, "That is not an extended private key: it is a public one", "import", "--family", "bitcoin", "--key-file", In("xpub"));
        await Fails(2, "--name must be 1 to 40", "import", "--family", "evm", "--key-file", In("zero"), "--name", "log");
        OneSentence(await Binary.Run("signer", "serve", "--config", In("nothing.json")), 1, "cannot be read: name it with --config");
        await File.WriteAllTextAsync(In("signer.json"),
            """{"chains":[{"id":"a","kind":"evm","chain_id":1,"key":"none","fee_max":"1","assets":{"coin":{"per_transaction":"1","per_day":"1"}}}]}""", TestContext.Current.CancellationToken);
        OneSentence(await Binary.Run("signer", "serve", "--config", In("signer.json"), "--passphrase-file", In("pass")), 1,
            "The keystore has no key none that can sign for a: see `coffer signer address`.");
    }

    private async Task<Ended> Run(params string[] arguments)
    {
        var ended = await Binary.Run(["signer", .. arguments, "--keystore", In("keystore.json"), "--json"], ("COFFER_SIGNER_PASSPHRASE_FILE", In("pass")));
        Assert.Equal((0, ""), (ended.Status, ended.Error));
        return ended;
    }

    private async Task Fails(int status, string sentence, params string[] arguments) => OneSentence(
        await Binary.Run(["signer", .. arguments, "--keystore", In("keystore.json")], ("COFFER_SIGNER_PASSPHRASE_FILE", In("pass"))), status, sentence);

    private static void OneSentence(Ended ended, int status, string sentence)
    {
        Assert.Equal((status, ""), (ended.Status, ended.Output));
        Assert.Contains(sentence, ended.Error, StringComparison.Ordinal);
        Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private async Task Secret(string file, string text)
    {
        await File.WriteAllTextAsync(In(file), text);
        File.SetUnixFileMode(In(file), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static string Hot(JsonElement answer, string member) => Text(answer.GetProperty("keys")[0].GetProperty("hot"), member);

    private static string Text(JsonElement element, string member) => element.GetProperty(member).GetString()!;
}
