-- What the operator allows: freezes, limits of single accounts, the addresses that may be paid, and what a day has seen so far.
--
-- Every withdrawal is made with its shard's row of withdrawal_gate locked FOR SHARE, and so is every plan to pay one. Whoever changes
-- what stands in these tables takes that row FOR UPDATE first. So a change waits for what is under way, and nothing that comes after it
-- is decided without it.

CREATE TABLE withdrawal_gate (
    shard      smallint    NOT NULL,
    frozen     boolean     NOT NULL,      -- nobody withdraws; the same in every shard
    reason     text,                      -- why, for the operator
    changed_by text,
    changed_at timestamptz,
    CONSTRAINT withdrawal_gate_key PRIMARY KEY (shard),
    CONSTRAINT frozen_gate_has_a_reason CHECK (NOT frozen OR reason IS NOT NULL)
);

-- As many as a database can have shards.
INSERT INTO withdrawal_gate (shard, frozen) SELECT number, false FROM generate_series(0, 1023) AS number;

-- Accounts about which something was said; the others are not frozen and may pay every address.
CREATE TABLE withdrawal_account (
    shard              smallint    NOT NULL,
    account_id         uuid        NOT NULL,
    frozen             boolean     NOT NULL,
    reason             text,                  -- why it is frozen, for the operator
    changed_by         text,                  -- who froze it, or opened it again
    changed_at         timestamptz,
    addresses_only     boolean     NOT NULL,  -- only those of withdrawal_address may be paid
    address_wait_hours integer     NOT NULL,  -- how long an address that is added has to wait
    CONSTRAINT withdrawal_account_key PRIMARY KEY (shard, account_id),
    CONSTRAINT frozen_account_has_a_reason CHECK (NOT frozen OR reason IS NOT NULL),
    CONSTRAINT address_wait_is_no_past CHECK (address_wait_hours >= 0)
);

-- Limits of single accounts in place of those of the currency file. Null: the file's. The largest amount there is: none.
CREATE TABLE withdrawal_limit (
    shard          smallint       NOT NULL,
    account_id     uuid           NOT NULL,
    currency       text COLLATE "C" NOT NULL,
    maximum        numeric(38,0),             -- of one withdrawal
    day_maximum    numeric(38,0),             -- of all withdrawals of a UTC day
    approval_above numeric(38,0),
    changed_by     text           NOT NULL,
    changed_at     timestamptz    NOT NULL,
    CONSTRAINT withdrawal_limit_key PRIMARY KEY (shard, account_id, currency),
    CONSTRAINT withdrawal_limits_are_not_negative CHECK (maximum >= 0 AND day_maximum >= 0 AND approval_above >= 0)
);

CREATE TABLE withdrawal_address (
    shard      smallint    NOT NULL,
    account_id uuid        NOT NULL,
    network    text COLLATE "C" NOT NULL,
    address    text COLLATE "C" NOT NULL,     -- in the network's one spelling
    name       text        NOT NULL,
    added_by   text        NOT NULL,
    added_at   timestamptz NOT NULL,
    payable_at timestamptz NOT NULL,          -- from then on it may be paid
    CONSTRAINT withdrawal_address_key PRIMARY KEY (shard, account_id, network, address),
    CONSTRAINT withdrawal_address_waits_forward CHECK (payable_at >= added_at)
);

-- What an account's withdrawals of the newest day come to, without fees, less those that were given back. The row is the lock under
-- which the day's limit is kept; what days before had nobody asks.
CREATE TABLE withdrawal_day (
    shard      smallint      NOT NULL,
    account_id uuid          NOT NULL,
    currency   text COLLATE "C" NOT NULL,
    day        date          NOT NULL,        -- UTC
    amount     numeric(38,0) NOT NULL,
    CONSTRAINT withdrawal_day_key PRIMARY KEY (shard, account_id, currency),
    CONSTRAINT withdrawal_day_is_not_negative CHECK (amount >= 0)
) WITH (fillfactor = 50);

INSERT INTO withdrawal_day (shard, account_id, currency, day, amount)
SELECT shard, account_id, currency, (now() AT TIME ZONE 'UTC')::date, sum(amount) FROM withdrawal
WHERE state NOT IN (7, 8, 9) AND created_at >= (now() AT TIME ZONE 'UTC')::date::timestamp AT TIME ZONE 'UTC'
GROUP BY shard, account_id, currency;

-- Four eyes.
ALTER TABLE withdrawal ADD CONSTRAINT nobody_decides_what_he_asked_for CHECK (decided_by <> requested_by);
ALTER TABLE withdrawal ADD CONSTRAINT decision_has_its_time CHECK ((decided_by IS NULL) = (decided_at IS NULL));
ALTER TABLE withdrawal ADD CONSTRAINT what_needs_approval_is_paid_with_it
    CHECK (NOT needs_approval OR state IN (1, 7, 8, 9) OR decided_by IS NOT NULL);
