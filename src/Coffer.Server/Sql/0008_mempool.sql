-- Payments to our addresses that wait for a block, as a node last said: a hint to show, never to credit. A row goes when the payment
-- is in a block or the node does not have it any more.
CREATE TABLE chain_mempool (
    chain      text COLLATE "C" NOT NULL,
    tx_id      text COLLATE "C" NOT NULL,
    kind       smallint      NOT NULL,        -- as in chain_deposit
    ordinal    integer       NOT NULL,
    address    text COLLATE "C" NOT NULL,
    shard      smallint      NOT NULL,
    account_id uuid          NOT NULL,
    wallet_id  uuid          NOT NULL,
    asset      text,                          -- as the chain says it; null for its own coin
    currency   text COLLATE "C",              -- null: not one that this server keeps
    amount     numeric(80,0) NOT NULL,        -- smallest units
    seen_at    timestamptz   NOT NULL,        -- when it was first there
    CONSTRAINT chain_mempool_key PRIMARY KEY (chain, tx_id, kind, ordinal)
) WITH (fillfactor = 80);

CREATE INDEX chain_mempool_by_address ON chain_mempool (address);
CREATE INDEX chain_mempool_by_account ON chain_mempool (account_id, wallet_id);
