using System.Text.Json.Serialization;

namespace Coffer.Chains.Simulated;

/// <summary>What can go wrong with a payment of ours on the simulated chain, when it is wished for.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<BroadcastFault>))]
public enum BroadcastFault
{
    /// <summary>It is refused for ever.</summary>
    [JsonStringEnumMemberName("fail")]
    Fail,

    /// <summary>It is taken, but the answer never comes.</summary>
    [JsonStringEnumMemberName("hang")]
    Hang,

    /// <summary>The answer says that it was taken, but it never waits for a block.</summary>
    [JsonStringEnumMemberName("lose")]
    Lose,

    /// <summary>It is taken and mined, and a reorg that takes its block forgets it, where others wait for a block again.</summary>
    [JsonStringEnumMemberName("forget")]
    Forget,
}
