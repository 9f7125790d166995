-- A movement is written once, as it was made, and what has become of it beside it, in a row of a third of the size with one index. When the
-- row itself was updated, both of its indexes were written again, for no page has room for two of each: a third of what a posting on a hot
-- balance cost. Readers see the movement as it stands now, in the view that has the table's old name. What was there stays as it is: it counts
-- as made that way.
ALTER TABLE movement RENAME TO movement_made;
ALTER TABLE movement_made RESET (fillfactor, autovacuum_vacuum_scale_factor);

-- The last 64 hexadecimal digits of the txid in chain:txid:kind:ordinal, in half the bytes; then reference_text has a * in their place.
ALTER TABLE movement_made ADD COLUMN reference_hash bytea;

-- What became of a movement that was not made in its last state: rarely more than once (a deposit seen again, a settlement undone).
CREATE TABLE movement_change (
    shard        smallint      NOT NULL,
    state        smallint      NOT NULL,
    sighting     smallint      NOT NULL,
    updated_at   timestamptz   NOT NULL,
    effective_at timestamptz,                 -- null, as amount and fee: as it was made
    id           uuid          NOT NULL,      -- the movement's
    amount       numeric(38,0),
    fee          numeric(38,0),
    -- The id is first here, against the rule: ids grow with time, and where they grow at one place the pages of an index are full.
    CONSTRAINT movement_change_key PRIMARY KEY (id, shard),
    CONSTRAINT movement_change_is_possible CHECK (state BETWEEN 1 AND 6 AND amount > '0'::numeric AND fee >= '0'::numeric)
);

-- Every movement as it stands now. LATERAL and OFFSET: whatever the planner believes, a change is looked for by its key.
CREATE VIEW movement AS
SELECT m.shard, m.kind, coalesce(c.state, m.state) AS state, coalesce(c.sighting, m.sighting) AS sighting, m.account_id, m.id, m.wallet_id,
    m.to_wallet_id, m.reference, coalesce(c.effective_at, m.effective_at) AS effective_at, coalesce(c.updated_at, m.updated_at) AS updated_at,
    m.currency, coalesce(c.amount, m.amount) AS amount, coalesce(c.fee, m.fee) AS fee,
    CASE WHEN m.reference_hash IS NULL THEN m.reference_text ELSE replace(m.reference_text, '*', encode(m.reference_hash, 'hex')) END
        AS reference_text,
    m.description, c.id IS NOT NULL AS changed
FROM movement_made m
LEFT JOIN LATERAL (SELECT * FROM movement_change WHERE shard = m.shard AND id = m.id OFFSET 0) c ON true;

-- As what was posted, what was made stays.
REVOKE UPDATE, DELETE, TRUNCATE ON movement_made FROM CURRENT_USER;
REVOKE DELETE, TRUNCATE ON movement_change FROM CURRENT_USER;
