-- What an account was last told of each of its payments. How far a payment is follows from other rows and the time; this one says when to
-- look again, and is written in the transaction that changes those rows, so that nothing is told late or not at all.
CREATE TABLE payment_told (
    shard      smallint    NOT NULL,
    account_id uuid        NOT NULL,
    payment_id uuid        NOT NULL,
    address    text COLLATE "C" NOT NULL,     -- of the payment, as the chain's rows name it
    told       text        NOT NULL,          -- status and amounts as they were last told
    look_at    timestamptz,                   -- -infinity: something has changed; else the time runs out then; null: it has
    CONSTRAINT payment_told_key PRIMARY KEY (shard, account_id, payment_id)
) WITH (fillfactor = 80);

CREATE INDEX payment_told_by_address ON payment_told (address);
CREATE INDEX payment_told_to_look_at ON payment_told (look_at) WHERE look_at IS NOT NULL;

-- Older payments are told once, as they stand.
INSERT INTO payment_told (shard, account_id, payment_id, address, told, look_at)
SELECT p.shard, p.account_id, p.id, a.address, 'waiting 0 0 0', '-infinity'
FROM payment p JOIN chain_address a ON a.id = p.address_id;
