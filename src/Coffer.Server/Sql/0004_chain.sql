-- What the follower has read from each chain. A chain is named by its id, e.g. ethereum or sim:ACCOUNT. These tables are not
-- sharded: a chain is one sequence of blocks, whoever owns the addresses in them.

-- How far the follower is. The row is the lock under which blocks are added and undone.
CREATE TABLE chain_cursor (
    chain  text COLLATE "C" NOT NULL,
    height bigint NOT NULL,
    hash   text   NOT NULL,                   -- of the block at this height
    CONSTRAINT chain_cursor_key PRIMARY KEY (chain)
);

-- The blocks that the cursor has passed and that still count.
CREATE TABLE chain_block (
    chain       text COLLATE "C" NOT NULL,
    height      bigint      NOT NULL,
    hash        text        NOT NULL,
    parent_hash text        NOT NULL,
    time        timestamptz NOT NULL,
    CONSTRAINT chain_block_key PRIMARY KEY (chain, height)
);

-- The addresses that are ours, watched for ever. A family is the set of chains on which one key is one address (every EVM
-- chain, say); a simulated chain is a family of its own, so that one customer's chain never pays another.
CREATE TABLE chain_address (
    family     text COLLATE "C" NOT NULL,
    address    text COLLATE "C" NOT NULL,
    shard      smallint    NOT NULL,
    account_id uuid        NOT NULL,
    wallet_id  uuid        NOT NULL,
    network    text        NOT NULL,          -- a transfer of a currency of another network is kept, not credited
    index      bigint      NOT NULL,          -- what the address was derived from
    created_at timestamptz NOT NULL,
    CONSTRAINT chain_address_key PRIMARY KEY (family, address),
    CONSTRAINT one_address_per_index UNIQUE (family, wallet_id, network, index)
);

-- Every transfer to one of our addresses. The identity survives being mined again elsewhere; a block-wide index would not.
-- kind: 0 native, 1 token, 2 internal
-- state: 1 seen (in a block that counts), 2 confirmed (so told to the ledger), 3 orphaned (its block counts no more)
CREATE TABLE chain_deposit (
    chain      text COLLATE "C" NOT NULL,
    tx_id      text COLLATE "C" NOT NULL,
    kind       smallint      NOT NULL,
    ordinal    integer       NOT NULL,        -- among the transfers of this kind inside the transaction
    state      smallint      NOT NULL,
    sighting   integer       NOT NULL,        -- how often it has been seen in a block
    posted     boolean       NOT NULL,        -- whether the ledger knows of this state and sighting
    height     bigint        NOT NULL,        -- the block that holds it, or the last that did
    block_hash text          NOT NULL,
    block_time timestamptz   NOT NULL,
    address    text          NOT NULL,
    shard      smallint      NOT NULL,
    account_id uuid          NOT NULL,
    wallet_id  uuid          NOT NULL,
    asset      text,                          -- as the chain says it; null for its own coin
    currency   text COLLATE "C",              -- null: not one that this server keeps
    amount     numeric(80,0) NOT NULL,        -- smallest units; a chain may say more than the ledger's 38 digits
    reason     text,                          -- why it is not credited, for a human; null: it is
    CONSTRAINT chain_deposit_key PRIMARY KEY (chain, tx_id, kind, ordinal),
    CONSTRAINT chain_deposit_kind_is_known CHECK (kind IN (0, 1, 2)),
    CONSTRAINT chain_deposit_state_is_known CHECK (state IN (1, 2, 3)),
    CONSTRAINT chain_deposit_was_seen CHECK (sighting >= 1 AND ordinal >= 0 AND amount >= 0),
    CONSTRAINT what_is_credited_has_a_currency_and_fits
        CHECK (reason IS NOT NULL OR (currency IS NOT NULL AND amount > 0 AND amount < 1e38)),
    CONSTRAINT what_is_not_credited_is_not_told CHECK (reason IS NULL OR posted),
    CONSTRAINT what_is_confirmed_was_told CHECK (state <> 2 OR (posted AND reason IS NULL))
) WITH (fillfactor = 80);

-- The follower's three questions: what must the ledger be told, what waits for confirmations, what was in this block.
CREATE INDEX chain_deposit_to_tell ON chain_deposit (chain) WHERE NOT posted;
CREATE INDEX chain_deposit_waiting ON chain_deposit (chain, height) WHERE state = 1 AND posted AND reason IS NULL;
CREATE INDEX chain_deposit_by_block ON chain_deposit (chain, height);
CREATE INDEX chain_deposit_by_account ON chain_deposit (account_id, wallet_id);

-- The simulated chain of each test account that has one.
CREATE TABLE simulated_chain (
    account_id uuid   NOT NULL,
    operations bigint NOT NULL,               -- how many there are
    followed   bigint NOT NULL,               -- how many of them the follower had seen when it was last done
    CONSTRAINT simulated_chain_key PRIMARY KEY (account_id),
    CONSTRAINT simulated_chain_is_followed_in_order CHECK (followed >= 0 AND followed <= operations)
);

CREATE INDEX simulated_chain_to_follow ON simulated_chain (account_id) WHERE followed < operations;

-- What was done to a simulated chain, in order without a gap: the chain is the fold over these rows. Append-only.
CREATE TABLE simulated_operation (
    account_id  uuid        NOT NULL,
    sequence    bigint      NOT NULL,
    operation   jsonb       NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT simulated_operation_key PRIMARY KEY (account_id, sequence),
    CONSTRAINT simulated_operations_start_at_one CHECK (sequence >= 1)
);
