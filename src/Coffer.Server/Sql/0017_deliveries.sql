-- Which event goes to which endpoint, and how that went.

-- Up to which event of its account an endpoint has its deliveries. The row is the lock under which they are made.
CREATE TABLE webhook_progress (
    shard       smallint NOT NULL,
    account_id  uuid     NOT NULL,
    endpoint_id uuid     NOT NULL,
    fanned_to   bigint   NOT NULL,
    CONSTRAINT webhook_progress_key PRIMARY KEY (shard, account_id, endpoint_id)
) WITH (fillfactor = 50);

-- One event for one endpoint. A lane is what gets slow or dies as one: an endpoint, or one host among an account's callback URLs.
-- state: 1 waiting, 2 delivered, 3 given up (the last attempt failed, or the receiver wants none)
CREATE TABLE delivery (
    shard        smallint    NOT NULL,
    account_id   uuid        NOT NULL,
    endpoint_id  uuid        NOT NULL,
    event_number bigint      NOT NULL,
    lane         text COLLATE "C" NOT NULL,   -- of a callback URL its host and port, else empty
    state        smallint    NOT NULL,
    attempts     integer     NOT NULL,        -- since it was made, or last sent again by hand
    tried        integer     NOT NULL,        -- in all
    due_at       timestamptz NOT NULL,        -- when it is to be tried, while it waits
    leased_until timestamptz,                 -- a server tries it until then; whoever finds the time over may try it
    created_at   timestamptz NOT NULL,
    finished_at  timestamptz,
    CONSTRAINT delivery_key PRIMARY KEY (shard, account_id, endpoint_id, event_number),
    CONSTRAINT delivery_state_is_known CHECK (state IN (1, 2, 3)),
    CONSTRAINT delivery_is_finished_or_waits CHECK ((state = 1) = (finished_at IS NULL)),
    CONSTRAINT delivery_attempts_are_counted CHECK (attempts >= 0 AND tried >= attempts)
) WITH (fillfactor = 70);

CREATE INDEX delivery_waiting ON delivery (shard, account_id, endpoint_id, lane, due_at) WHERE state = 1;

-- Every attempt. Append-only.
CREATE TABLE delivery_attempt (
    shard        smallint    NOT NULL,
    account_id   uuid        NOT NULL,
    endpoint_id  uuid        NOT NULL,
    event_number bigint      NOT NULL,
    number       integer     NOT NULL,        -- 1, 2, 3, ... of the delivery
    at           timestamptz NOT NULL,
    milliseconds integer     NOT NULL,
    status       smallint,                    -- HTTP; null: none came
    error        text,                        -- why it failed; null: it did not
    excerpt      text,                        -- the beginning of what was answered, for the account's eyes only
    next_at      timestamptz,                 -- when it is tried again; null: it is not
    CONSTRAINT delivery_attempt_key PRIMARY KEY (shard, account_id, endpoint_id, event_number, number)
);

-- How a lane has been doing; no row: well.
CREATE TABLE webhook_lane (
    shard         smallint    NOT NULL,
    account_id    uuid        NOT NULL,
    endpoint_id   uuid        NOT NULL,
    lane          text COLLATE "C" NOT NULL,
    failures      integer     NOT NULL,       -- without a success between them
    first_failure timestamptz,                -- of these
    failing_since timestamptz,                -- when they became too many to be chance
    slow_until    timestamptz,                -- the receiver asked for a pause
    CONSTRAINT webhook_lane_key PRIMARY KEY (shard, account_id, endpoint_id, lane)
);

-- The pings of an endpoint, which are found while nothing else is told there.
CREATE INDEX event_for_one_endpoint ON event (only_endpoint, number) WHERE only_endpoint IS NOT NULL;

-- Those that have not arrived and will not by themselves: what an owner looks for.
CREATE INDEX delivery_given_up ON delivery (shard, account_id, endpoint_id, event_number) WHERE state = 3;
