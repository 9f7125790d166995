using Coffer.Chains;
using Coffer.Server.Chain;
using Coffer.Server.Host;

namespace Coffer.Server.Commands;

/// <summary>The operator's files, read and checked as a whole before anything is started.</summary>
/// <param name="Currencies">Of the currency file, or those that are built in.</param>
/// <param name="Chains">Of the chains file; empty without one.</param>
internal sealed record ConfigFiles(Currencies Currencies, IReadOnlyList<ChainEntry> Chains)
{
    /// <exception cref="SetupFailure">A file cannot be read or used; the sentence names the file and everything that is wrong in it.</exception>
    public static ConfigFiles Read(string? currenciesFile, string? chainsFile)
    {
        var currencies = currenciesFile is null ? BuiltIn() : Read("currency", currenciesFile, bytes => CurrenciesFile.Parse(bytes));
        IReadOnlyList<ChainEntry> chains = chainsFile is null ? [] : Read("chains", chainsFile, bytes =>
        {
            var read = ChainsFile.Parse(bytes);
            RealChains.Check(read, currencies);
            return read;
        });
        return new ConfigFiles(currencies, chains);
    }

    private static Currencies BuiltIn()
    {
        using var builtIn = typeof(ConfigFiles).Assembly.GetManifestResourceStream("currencies.json")!;
        using var bytes = new MemoryStream();
        builtIn.CopyTo(bytes);
        return CurrenciesFile.Parse(bytes.ToArray());
    }

    private static T Read<T>(string kind, string file, Func<byte[], T> parse)
    {
        try
        {
            return parse(File.ReadAllBytes(file));
        }
        catch (Exception fault) when (fault is CurrenciesFault or ChainsFault)
        {
            throw new SetupFailure($"{file}: {fault.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SetupFailure($"The {kind} file {file} cannot be read: check its name and its rights ({e.Message.TrimEnd('.')}).");
        }
    }
}
