using System.Runtime.InteropServices;
using Coffer.Server.Sql;
using Npgsql;
using NpgsqlTypes;
using static Coffer.Server.Sql.SqlParameters;

namespace Coffer.Server.Events;

/// <summary>
/// The statement that writes events, the only writer of event and event_head. Called last in the transaction that causes them.
///
/// Guarantees: an event is there exactly if what it tells of is. Numbers are given under the lock of the account's event_head, which is held
/// to the commit and is the last lock that any transaction takes, in the order of the accounts; so the events of an account are numbered in
/// the order of their commits, without a gap, and nobody waits for each other in a circle.
/// </summary>
internal static class EventSql
{
    private const string Insert = """
        WITH head AS (
            INSERT INTO event_head AS h (shard, account_id, last) SELECT unnest($1::smallint[]), unnest($2::uuid[]), unnest($3::bigint[])
            ON CONFLICT (shard, account_id) DO UPDATE SET last = h.last + excluded.last
            RETURNING shard, account_id, last)
        INSERT INTO event (shard, account_id, number, at, type, data, callback_url, only_endpoint)
        SELECT head.shard, head.account_id, head.last - e.behind, e.at, e.type, e.data, e.callback_url, e.only_endpoint
        FROM (SELECT unnest($4::smallint[]) AS shard, unnest($5::uuid[]) AS account_id, unnest($6::bigint[]) AS behind,
            unnest($7::timestamptz[]) AS at, unnest($8::text[]) AS type, unnest($9::text[]) AS data, unnest($10::text[]) AS callback_url,
            unnest($11::uuid[]) AS only_endpoint) e
        JOIN head ON head.shard = e.shard AND head.account_id = e.account_id
        """;

    /// <summary>Adds the events of one shard to the round that commits, in the order given.</summary>
    public static void Write(this Round round, short shard, IReadOnlyList<NewEvent> events)
    {
        if (events.Count == 0)
            return;
        round.Add(Insert, Columns([.. events.Select(one => (shard, one))]));
        Ring(round.Tx, events);
    }

    /// <summary>Writes events in the order given; the transaction takes no lock after this.</summary>
    public static async Task Write(this Tx tx, IReadOnlyList<(short Shard, NewEvent Event)> events, CancellationToken ct)
    {
        if (events.Count == 0)
            return;
        await tx.Do(Insert, ct, Columns(events));
        Ring(tx, events.Select(one => one.Event));
    }

    /// <inheritdoc cref="Write(Tx, IReadOnlyList{ValueTuple{short, NewEvent}}, CancellationToken)"/>
    public static Task Write(this Tx tx, short shard, NewEvent one, CancellationToken ct) => tx.Write([(shard, one)], ct);

    private static void Ring(Tx tx, IEnumerable<NewEvent> events)
    {
        foreach (var one in events)
            tx.RingFor(one.Account);
    }

    /// <summary>The accounts in lock order with how many events each gets, then the events, each with how many of its account follow it.</summary>
    private static NpgsqlParameter[] Columns(IReadOnlyList<(short Shard, NewEvent Event)> events)
    {
        var counts = new Dictionary<(short Shard, Guid Account), long>(events.Count);
        var behind = new long[events.Count];
        for (var i = events.Count - 1; i >= 0; i--)
        {
            ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(counts, (events[i].Shard, events[i].Event.Account.Value), out _);
            behind[i] = count++;
        }

        var heads = new List<KeyValuePair<(short Shard, Guid Account), long>>(counts);
        heads.Sort(static (a, b) => a.Key.Shard != b.Key.Shard ? a.Key.Shard.CompareTo(b.Key.Shard) : a.Key.Account.CompareTo(b.Key.Account));
        var endpoints = P(events, e => e.Event.OnlyEndpoint);
        endpoints.NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid;
        return
        [
            P(heads, h => h.Key.Shard), P(heads, h => h.Key.Account), P(heads, h => h.Value), P(events, e => e.Shard),
            P(events, e => e.Event.Account.Value), P(behind, n => n), P(events, e => e.Event.At.UtcDateTime), P(events, e => e.Event.Type),
            P(events, e => e.Event.Data), P(events, e => e.Event.CallbackUrl), endpoints,
        ];
    }
}
