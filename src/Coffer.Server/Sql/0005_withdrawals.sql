-- What the ledger does not keep about withdrawals. The withdrawal itself is the movement that was made from the same request;
-- a row without one is a request that was refused or never got that far, and nobody ever sees or pays it. So the row may be
-- written before the ledger is asked, and a crash between the two leaves nothing to repair.
CREATE TABLE withdrawal (
    shard           smallint      NOT NULL,
    account_id      uuid          NOT NULL,
    reference       uuid          NOT NULL,   -- of the movement
    request         uuid          NOT NULL,   -- digest of what was asked: two requests under one reference are two rows, one movement
    created_at      timestamptz   NOT NULL,
    wallet_id       uuid          NOT NULL,
    currency        text COLLATE "C" NOT NULL,
    amount          numeric(38,0) NOT NULL,   -- what arrives
    network_fee     numeric(38,0) NOT NULL,
    transaction_fee numeric(38,0) NOT NULL,   -- the operator's
    address         text          NOT NULL,
    custom_id       text,                     -- the caller's; its reference makes it unique in the account for ever
    callback_url    text,
    idempotency_key text,                     -- of the request: it may come again and is no second use of the custom_id then
    tx_id           text COLLATE "C",         -- stored with the bytes before they are sent for the first time
    tx_bytes        bytea,
    sent_at         timestamptz,              -- when a node took the bytes; null: it may or may not have them
    finished        boolean       NOT NULL,   -- whether the movement is settled or failed; then nothing is done here any more
    CONSTRAINT withdrawal_key PRIMARY KEY (shard, account_id, reference, request),
    CONSTRAINT withdrawal_amounts_are_not_negative CHECK (amount > 0 AND network_fee >= 0 AND transaction_fee >= 0),
    CONSTRAINT withdrawal_has_id_and_bytes_together CHECK ((tx_id IS NULL) = (tx_bytes IS NULL)),
    CONSTRAINT withdrawal_sends_what_it_stored CHECK (sent_at IS NULL OR tx_id IS NOT NULL)
);

CREATE INDEX withdrawal_to_send ON withdrawal (shard, account_id) WHERE sent_at IS NULL AND NOT finished;
CREATE INDEX withdrawal_open ON withdrawal (shard, account_id) WHERE NOT finished;

-- The withdrawals that exist: each row of the table that a movement was made from, with that movement.
CREATE VIEW accepted_withdrawal AS
SELECT w.shard, w.account_id, m.id, m.state, w.wallet_id, w.currency, w.amount, w.network_fee, w.transaction_fee, w.address, w.custom_id,
    w.callback_url, w.idempotency_key, w.tx_id, w.tx_bytes, w.sent_at, w.finished, w.created_at, m.updated_at, m.reference_text, w.reference, w.request
FROM withdrawal w
JOIN movement m ON m.shard = w.shard AND m.reference = w.reference AND m.account_id = w.account_id AND m.kind = 2
    AND m.wallet_id = w.wallet_id AND m.currency = w.currency AND m.amount = w.amount AND m.fee = w.network_fee + w.transaction_fee
    AND m.description = w.address;
