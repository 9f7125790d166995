-- Withdrawals, each from its first moment to its last. The row is written in the transaction that reserves amount and fees, so there
-- is one for every withdrawal in the ledger and none for a request that was refused.
-- state: 1 pending, 2 approved, 3 processing, 4 submitted, 5 confirmed, 6 completed | 7 rejected, 8 failed, 9 cancelled | 10 unknown
CREATE TABLE new_withdrawal (
    shard            smallint      NOT NULL,
    state            smallint      NOT NULL,
    needs_approval   boolean       NOT NULL,
    fees_on_top      boolean       NOT NULL,  -- else they came out of what was asked for
    account_id       uuid          NOT NULL,
    id               uuid          NOT NULL,  -- the movement's
    wallet_id        uuid          NOT NULL,
    request          uuid,                    -- digest of what was asked, to know a repeated request by; null before there were digests
    created_at       timestamptz   NOT NULL,
    updated_at       timestamptz   NOT NULL,
    completed_at     timestamptz,             -- when it was settled; null unless it is
    decided_at       timestamptz,             -- approved or rejected
    block_height     bigint,                  -- of the block that holds its transaction; null while none is known
    chain            text COLLATE "C" NOT NULL,  -- sim:ACCOUNT, or the id of an entry of the chains file
    currency         text COLLATE "C" NOT NULL,
    amount           numeric(38,0) NOT NULL,  -- what arrives
    network_fee      numeric(38,0) NOT NULL,  -- reserved for the network
    transaction_fee  numeric(38,0) NOT NULL,  -- the operator's
    network_fee_paid numeric(38,0),           -- what the network took, in smallest units of the chain's coin; null until known
    address          text          NOT NULL,
    custom_id        text COLLATE "C",
    idempotency_key  text COLLATE "C",
    callback_url     text,
    requested_by     text,                    -- key:ID or client:ID of the credential; null before it was written down
    decided_by       text,
    waits_for        text,                    -- why nothing happens now: approval, address, funds, gas, frozen, fee, signature
    reason           text,                    -- why it was rejected or failed
    tx_id            text COLLATE "C",        -- of the transaction that counts
    tx_bytes         bytea,                   -- stored before they are sent for the first time
    CONSTRAINT withdrawal_state_is_known CHECK (state BETWEEN 1 AND 10),
    CONSTRAINT withdrawal_parts_are_not_negative
        CHECK (amount > 0 AND network_fee >= 0 AND transaction_fee >= 0 AND network_fee_paid >= 0),
    CONSTRAINT completed_withdrawal_has_its_time CHECK ((state = 6) = (completed_at IS NOT NULL)),
    CONSTRAINT withdrawal_on_its_way_has_a_transaction CHECK (state NOT IN (4, 5) OR tx_id IS NOT NULL)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

-- What was moved had a movement; requests that were refused or never got to the ledger meant nothing and go. An Idempotency-Key could be
-- used again after some days: only its last withdrawal still answers to it.
INSERT INTO new_withdrawal (shard, state, needs_approval, fees_on_top, account_id, id, wallet_id, created_at, updated_at, completed_at,
    chain, currency, amount, network_fee, transaction_fee, address, custom_id, idempotency_key, callback_url, tx_id, tx_bytes)
SELECT shard, CASE WHEN state = 5 THEN 6 WHEN state = 6 THEN 8 WHEN sent_at IS NOT NULL THEN 4 WHEN tx_id IS NOT NULL THEN 3 ELSE 1 END,
    false, true, account_id, id, wallet_id, created_at, updated_at, CASE WHEN state = 5 THEN effective_at END,
    'sim:' || account_id, currency, amount, network_fee, transaction_fee, address, custom_id,
    CASE WHEN id = last_value(id) OVER (PARTITION BY shard, account_id, idempotency_key ORDER BY id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) THEN idempotency_key END,
    callback_url, tx_id, tx_bytes
FROM (SELECT a.*, m.effective_at FROM accepted_withdrawal a
    JOIN movement m ON m.shard = a.shard AND m.account_id = a.account_id AND m.id = a.id) old;

DROP VIEW accepted_withdrawal;
DROP TABLE withdrawal;
ALTER TABLE new_withdrawal RENAME TO withdrawal;

ALTER TABLE withdrawal ADD CONSTRAINT withdrawal_key PRIMARY KEY (shard, account_id, id);
CREATE UNIQUE INDEX custom_id_is_one_withdrawal ON withdrawal (shard, account_id, custom_id) WHERE custom_id IS NOT NULL;
CREATE UNIQUE INDEX idempotency_key_is_one_withdrawal ON withdrawal (shard, account_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
-- What still has to be paid, or looked after on its chain.
CREATE INDEX withdrawal_open ON withdrawal (chain, state, id) WHERE state IN (1, 2, 3, 4, 5, 10);

-- 12 withdrawal_unsettled: the mirror image of 6, when the chain takes a settled withdrawal back.
ALTER TABLE posting DROP CONSTRAINT posting_kind_is_known;
ALTER TABLE posting ADD CONSTRAINT posting_kind_is_known CHECK (kind BETWEEN 1 AND 12);
