-- What customers expect to be paid. How far a payment is follows from the deposits to its address and the time, and is not stored, so
-- it cannot disagree with them.
CREATE TABLE payment (
    shard           smallint      NOT NULL,
    account_id      uuid          NOT NULL,
    id              uuid          NOT NULL,
    wallet_id       uuid          NOT NULL,
    address_id      uuid          NOT NULL,   -- of chain_address: this payment's alone
    currency        text COLLATE "C" NOT NULL,
    amount          numeric(38,0) NOT NULL,   -- expected, smallest units
    price_cents     numeric(38,0),            -- when it was asked for in dollars: how many cents
    rate            numeric(38,0),            -- and the price that it was converted at, 10^-18 dollar
    order_id        text,
    custom_id       text,
    description     text,
    callback_url    text,
    idempotency_key text,                     -- of the request: it may come again and is the same payment then
    created_at      timestamptz   NOT NULL,
    expires_at      timestamptz   NOT NULL,
    CONSTRAINT payment_key PRIMARY KEY (shard, account_id, id),
    CONSTRAINT payment_order_id_is_unique UNIQUE (shard, account_id, order_id),
    CONSTRAINT payment_custom_id_is_unique UNIQUE (shard, account_id, custom_id),
    CONSTRAINT payment_request_is_once UNIQUE (shard, account_id, idempotency_key),
    CONSTRAINT payment_amount_is_positive CHECK (amount > 0),
    CONSTRAINT payment_has_price_and_rate_together CHECK ((price_cents IS NULL) = (rate IS NULL)),
    CONSTRAINT payment_expires_after_it_was_made CHECK (expires_at > created_at)
);

CREATE INDEX chain_deposit_by_address ON chain_deposit (address);

-- When a deposit was first seen waiting for a block; null: in its block only. A payment is in time when it was sent in time.
ALTER TABLE chain_deposit ADD COLUMN seen_at timestamptz;
