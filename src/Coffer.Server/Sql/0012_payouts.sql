-- How withdrawals leave. A payout is one claim on a chain (a nonce, a set of coins, a time limit) that pays one or several withdrawals; an
-- attempt is one transaction under that claim, of which at most one can ever be in the chain. Plan, signed bytes with their id, and the
-- fact that they were sent are each committed before the next step outside; what is sent again is the same bytes.

-- The wallet that pays on one chain.
CREATE TABLE hot_wallet (
    chain        text COLLATE "C" NOT NULL,
    next_number  bigint        NOT NULL,      -- EVM: the nonce of the next payout; elsewhere a count of payouts
    foreign_use  text,                        -- what somebody else did with its key, for the operator; null: nothing seen
    CONSTRAINT hot_wallet_key PRIMARY KEY (chain),
    CONSTRAINT hot_wallet_number_is_not_negative CHECK (next_number >= 0)
);

-- state: 1 open (an attempt may still be mined), 2 mined (deep enough, what it paid is settled), 3 reverted (mined, moved nothing),
--        4 dead (proven never to be mined), 5 dropped (nothing of it was ever signed)
CREATE TABLE payout (
    id           uuid          NOT NULL,
    chain        text COLLATE "C" NOT NULL,
    state        smallint      NOT NULL,
    nonce        bigint,                      -- EVM
    expires_at   timestamptz,                 -- Tron
    created_at   timestamptz   NOT NULL,
    updated_at   timestamptz   NOT NULL,
    tx_id        text COLLATE "C",            -- of the attempt that is in a block; null: none
    height       bigint,
    block_hash   text COLLATE "C",
    fee          numeric(38,0),               -- what it really cost, in smallest units of the chain's coin
    CONSTRAINT payout_key PRIMARY KEY (id),
    CONSTRAINT payout_state_is_known CHECK (state BETWEEN 1 AND 5),
    CONSTRAINT payout_block_is_whole CHECK ((height IS NULL) = (block_hash IS NULL) AND (height IS NULL OR tx_id IS NOT NULL))
);

-- One nonce pays once. A payout that was dropped before anything was signed has given its nonce back.
CREATE UNIQUE INDEX payout_nonce ON payout (chain, nonce) WHERE nonce IS NOT NULL AND state <> 5;
CREATE INDEX payout_open ON payout (chain, created_at, id) WHERE state = 1;
CREATE INDEX payout_mined ON payout (chain, height) WHERE state IN (2, 3);

-- Which withdrawals a payout pays. Live while the payout is open or has been mined: then the withdrawal can have no other.
CREATE TABLE payout_withdrawal (
    payout_id     uuid         NOT NULL,
    ordinal       integer      NOT NULL,
    shard         smallint     NOT NULL,
    account_id    uuid         NOT NULL,
    withdrawal_id uuid         NOT NULL,
    live          boolean      NOT NULL,
    CONSTRAINT payout_withdrawal_key PRIMARY KEY (payout_id, ordinal)
);

CREATE UNIQUE INDEX withdrawal_is_paid_once ON payout_withdrawal (shard, account_id, withdrawal_id) WHERE live;
CREATE INDEX payout_withdrawal_of ON payout_withdrawal (shard, account_id, withdrawal_id);

CREATE TABLE payout_attempt (
    payout_id  uuid            NOT NULL,
    number     integer         NOT NULL,      -- from 1; a later one pays a higher fee
    unsigned   bytea           NOT NULL,
    fee_max    numeric(38,0)   NOT NULL,      -- the most that it can cost, in smallest units of the chain's coin
    signed     bytea,
    tx_id      text COLLATE "C",
    planned_at timestamptz     NOT NULL,
    signed_at  timestamptz,
    tried_at   timestamptz,                   -- when its bytes were last about to be sent: from then on somebody may have them
    tries      integer         NOT NULL,
    sent_at    timestamptz,                   -- when a node said that it has them; null: it may or may not
    CONSTRAINT payout_attempt_key PRIMARY KEY (payout_id, number),
    CONSTRAINT payout_attempt_is_signed_as_a_whole CHECK ((signed IS NULL) = (tx_id IS NULL) AND (signed IS NULL) = (signed_at IS NULL)),
    CONSTRAINT payout_attempt_sends_what_it_stored CHECK (tried_at IS NULL OR signed IS NOT NULL),
    CONSTRAINT payout_attempt_is_sent_after_a_try CHECK (sent_at IS NULL OR tried_at IS NOT NULL)
);

CREATE UNIQUE INDEX payout_attempt_tx ON payout_attempt (tx_id) WHERE tx_id IS NOT NULL;

-- The unspent outputs of Bitcoin hot wallets, as the followed blocks say.
CREATE TABLE hot_coin (
    chain      text COLLATE "C" NOT NULL,
    tx_id      text COLLATE "C" NOT NULL,
    ordinal    integer         NOT NULL,
    address    text            NOT NULL,
    path       text            NOT NULL,      -- the last two steps of its key's derivation
    amount     numeric(38,0)   NOT NULL,
    height     bigint          NOT NULL,
    block_hash text COLLATE "C" NOT NULL,
    payout_id  uuid,                          -- the payout that spends it; null: free
    gone       boolean         NOT NULL,      -- its block was undone, or somebody else has spent it
    CONSTRAINT hot_coin_key PRIMARY KEY (chain, tx_id, ordinal),
    CONSTRAINT hot_coin_is_worth_something CHECK (amount > 0)
);

CREATE INDEX hot_coin_height ON hot_coin (chain, height);
CREATE INDEX hot_coin_free ON hot_coin (chain) WHERE payout_id IS NULL AND NOT gone;
CREATE INDEX hot_coin_payout ON hot_coin (payout_id) WHERE payout_id IS NOT NULL;

-- Withdrawals of test accounts that were paid before there were payouts: each had one transaction, whose bytes were kept with it.
INSERT INTO payout (id, chain, state, created_at, updated_at)
SELECT id, chain, 1, updated_at, updated_at FROM withdrawal WHERE tx_bytes IS NOT NULL AND state IN (3, 4, 5, 10);

INSERT INTO payout_withdrawal (payout_id, ordinal, shard, account_id, withdrawal_id, live)
SELECT id, 0, shard, account_id, id, true FROM withdrawal WHERE tx_bytes IS NOT NULL AND state IN (3, 4, 5, 10);

INSERT INTO payout_attempt (payout_id, number, unsigned, fee_max, signed, tx_id, planned_at, signed_at, tried_at, tries, sent_at)
SELECT id, 1, tx_bytes, 0, tx_bytes, tx_id, updated_at, updated_at, updated_at, 1, CASE WHEN state <> 3 THEN updated_at END
FROM withdrawal WHERE tx_bytes IS NOT NULL AND state IN (3, 4, 5, 10);

ALTER TABLE withdrawal DROP COLUMN tx_bytes;
