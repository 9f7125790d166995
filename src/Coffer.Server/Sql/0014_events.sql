-- What an account is told: each event once, in the transaction that causes it, and kept.
CREATE TABLE event (
    shard         smallint    NOT NULL,
    account_id    uuid        NOT NULL,
    number        bigint      NOT NULL,       -- 1, 2, 3, ... of the account, without a gap, in the order of the commits
    at            timestamptz NOT NULL,
    type          text COLLATE "C" NOT NULL,
    data          text        NOT NULL,       -- a JSON object; text, so that every delivery has the same bytes
    callback_url  text,                       -- told there too
    only_endpoint uuid,                       -- told to this endpoint alone; null: to whoever wants the type
    CONSTRAINT event_key PRIMARY KEY (shard, account_id, number),
    CONSTRAINT events_are_counted_from_one CHECK (number >= 1)
);

-- What was told never changes.
REVOKE UPDATE, DELETE, TRUNCATE ON event FROM CURRENT_USER;

-- The number of the newest event of each account. The row is locked from the moment that numbers are given to the commit, so whoever
-- sees event n sees all before it.
CREATE TABLE event_head (
    shard      smallint NOT NULL,
    account_id uuid     NOT NULL,
    last       bigint   NOT NULL,
    CONSTRAINT event_head_key PRIMARY KEY (shard, account_id)
) WITH (fillfactor = 50);
