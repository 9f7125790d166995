-- Low-balance alerts (contract 6): their state changes in the transaction that moves the balance, and what is told of it commits there too.
--
-- A ledger transaction that may change available balances locks its shard's row of alert_gate FOR SHARE, after the balances, then the
-- alerts of the accounts and currencies concerned. Whoever makes an alert takes the gate FOR UPDATE, so that no balance moves between what
-- he reads and his commit. Who changes or deletes one locks its row, which does the same for that alert.

CREATE TABLE alert_gate (
    shard smallint NOT NULL,
    CONSTRAINT alert_gate_key PRIMARY KEY (shard)
);

-- As many as a database can have shards.
INSERT INTO alert_gate (shard) SELECT number FROM generate_series(0, 1023) AS number;

-- state: 1 ok, 2 low
CREATE TABLE alert (
    shard              smallint      NOT NULL,
    account_id         uuid          NOT NULL,
    currency           text COLLATE "C" NOT NULL,
    id                 uuid          NOT NULL,
    wallet_id          uuid,                   -- whose available balance; null: all wallets of the account together
    threshold          numeric(38,0) NOT NULL, -- low as soon as less than this is available
    recovery           numeric(38,0) NOT NULL, -- ok again as soon as this much is
    recovery_is_usual  boolean       NOT NULL, -- nobody named it: it follows the threshold
    state              smallint      NOT NULL,
    state_since        timestamptz   NOT NULL,
    available          numeric,                -- alerts of an account: what its wallets have together, carried on with each posting
    created_at         timestamptz   NOT NULL,
    updated_at         timestamptz   NOT NULL, -- when its owner changed it last
    CONSTRAINT alert_key PRIMARY KEY (shard, account_id, currency, id),
    CONSTRAINT alert_state_is_known CHECK (state IN (1, 2)),
    CONSTRAINT alert_recovers_above_its_threshold CHECK (threshold > 0 AND recovery >= threshold),
    CONSTRAINT only_alerts_of_an_account_add_up CHECK ((wallet_id IS NULL) = (available IS NOT NULL)),
    CONSTRAINT alert_is_as_its_account CHECK (available >= CASE state WHEN 1 THEN threshold ELSE 0 END AND (state = 1 OR available < recovery))
) WITH (fillfactor = 50);
