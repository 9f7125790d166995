namespace Coffer.Chains.Bitcoin;

/// <summary>The bounds of what is read from a Bitcoin node, so that no chain, mempool or liar fills the memory.</summary>
public static class BitcoinLimits
{
    /// <summary>The most blocks answered to one question.</summary>
    public const int BlocksMax = 200;

    /// <summary>Block bytes that are asked for in one request, about: the next request goes by the size of the blocks before.</summary>
    public const int RequestBytes = 8_000_000;

    /// <summary>Once so many block bytes were read for one question, it is answered with what there is.</summary>
    public const int AnswerBytes = 64_000_000;

    /// <summary>The most transactions of the mempool that are read at one look; the rest waits for the next.</summary>
    public const int UnseenMax = 5_000;

    /// <summary>The most transactions of the mempool that are remembered; what comes beyond is not shown before its block.</summary>
    public const int MempoolMax = 500_000;

    /// <summary>The most unspent outputs of ours that are kept while holdings are counted.</summary>
    public const int UnspentMax = 5_000_000;

    /// <summary>Addresses in one search through a node's unspent outputs.</summary>
    public const int AddressesPerSearch = 100_000;

    /// <summary>So many blocks below the tip, holdings are still counted back from the tip; deeper, from the first block on.</summary>
    public const int RewindMax = 144;

    /// <summary>How long a node may search its unspent outputs: it reads all of them.</summary>
    public static readonly TimeSpan SearchTime = TimeSpan.FromMinutes(15);

    /// <summary>Outputs of a transaction that are tried to find its block where a node has no index.</summary>
    public const int OutputsTried = 16;

    /// <summary>Blocks within which a withdrawal should be mined, for the fee estimate.</summary>
    public const int FeeBlocks = 3;

    /// <summary>The least that nodes pass on by default, in satoshi for 1,000 virtual bytes.</summary>
    public const long FeeFloor = 1_000;

    /// <summary>An estimate beyond this is no estimate, in satoshi for 1,000 virtual bytes: more than the dearest days so far.</summary>
    public const long FeeCeiling = 5_000_000;

    /// <summary>The size of a payment from one P2WPKH output to one address and change, in virtual bytes.</summary>
    public const int PaymentVirtualBytes = 141;

    /// <summary>Less change than this in satoshi would not be passed on: it goes to a P2WPKH address.</summary>
    public const long DustOfChange = 294;

    /// <summary>
    /// So many blocks on top of it, a transaction that spent a coin of ours without our doing counts as final: deeper than any reorg, and
    /// as deep as coins of miners must be to be spent.
    /// </summary>
    public const int ForeignDepth = 100;

    /// <summary>How many blocks below the tip a transaction that spent a coin is looked for: two weeks.</summary>
    public const int SpenderBlocksMax = 2_016;

    /// <summary>The most payments in one transaction.</summary>
    public const int OutputsMax = 100;
}
