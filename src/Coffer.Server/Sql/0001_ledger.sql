-- The ledger. Its chart of accounts is fixed, so the accounts are columns: one posting moves one balance
-- (wallet x currency), and because its columns sum to zero every single row is a balanced double entry.
--
-- Rules that every statement on these tables keeps: `shard` is the first column of every key and condition; ids come
-- from the application; no trigger, sequence, cross-shard foreign key, savepoint or advisory lock is needed for
-- correctness. So the same SQL runs on one PostgreSQL or distributed by `shard`.
--
-- Amounts are integers of the currency's smallest unit.

-- What a wallet holds of one currency. Written only by the ledger writer, by key, never over a newer version.
CREATE TABLE balance (
    shard            smallint      NOT NULL,
    account_id       uuid          NOT NULL,
    currency         text COLLATE "C" NOT NULL,
    wallet_id        uuid          NOT NULL,
    available        numeric(38,0) NOT NULL,  -- confirmed and free to spend
    incoming         numeric(38,0) NOT NULL,  -- received on chain, waiting for confirmations
    held             numeric(38,0) NOT NULL,  -- reserved by withdrawals that have not finished
    deposited        numeric(38,0) NOT NULL,  -- all-time; a deposit that vanishes is taken off again
    withdrawn        numeric(38,0) NOT NULL,  -- all-time, fees included
    fees             numeric(38,0) NOT NULL,  -- the fee part of withdrawn
    transferred      numeric(38,0) NOT NULL,  -- moved in from own wallets less moved out
    deficit          numeric(38,0) NOT NULL,  -- of reversed deposits, what available did not cover; the next deposits pay it
    version          bigint        NOT NULL,  -- number of postings that made this row
    last_movement_at timestamptz   NOT NULL,
    head_hash        bytea         NOT NULL,  -- hash of the posting with this version
    CONSTRAINT balance_key PRIMARY KEY (shard, account_id, wallet_id, currency),
    CONSTRAINT available_is_not_negative CHECK (available >= 0),
    CONSTRAINT incoming_is_not_negative CHECK (incoming >= 0),
    CONSTRAINT held_is_not_negative CHECK (held >= 0),
    CONSTRAINT deficit_is_not_negative CHECK (deficit >= 0),
    CONSTRAINT withdrawn_is_not_negative CHECK (withdrawn >= 0),
    CONSTRAINT fees_are_part_of_withdrawn CHECK (fees >= 0 AND fees <= withdrawn),
    CONSTRAINT total_is_deposited_less_withdrawn_plus_transferred
        CHECK (available + incoming + held = deposited - withdrawn + transferred),
    CONSTRAINT balance_version_starts_at_one CHECK (version >= 1)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- One change of one balance. Append-only: the application's role may not update or delete it.
-- kind: 1 deposit_seen, 2 deposit_confirmed, 3 deposit_reversed, 4 deficit_paid, 5 withdrawal_requested,
--       6 withdrawal_settled, 7 withdrawal_failed, 8 transfer_out, 9 transfer_in, 10 correction_in, 11 correction_out
CREATE TABLE posting (
    version         bigint        NOT NULL,   -- the version of the balance that this posting made
    effective_at    timestamptz   NOT NULL,   -- when it counts in the history: block time, or when it finished
    recorded_at     timestamptz   NOT NULL,   -- when it was written
    shard           smallint      NOT NULL,
    kind            smallint      NOT NULL,
    account_id      uuid          NOT NULL,
    wallet_id       uuid          NOT NULL,
    movement_id     uuid          NOT NULL,
    currency        text COLLATE "C" NOT NULL,
    available       numeric(38,0) NOT NULL,
    incoming        numeric(38,0) NOT NULL,
    held            numeric(38,0) NOT NULL,
    external        numeric(38,0) NOT NULL,   -- contra: the world
    fee             numeric(38,0) NOT NULL,   -- contra: the operator's fee income
    transfer        numeric(38,0) NOT NULL,   -- contra: the account's other wallets
    deficit         numeric(38,0) NOT NULL,   -- contra: what the wallet owes for reversed deposits
    available_after numeric(38,0) NOT NULL,
    incoming_after  numeric(38,0) NOT NULL,
    held_after      numeric(38,0) NOT NULL,
    hash            bytea         NOT NULL,   -- 128 bits of SHA-256 over the previous posting's hash and this row
    CONSTRAINT posting_key PRIMARY KEY (shard, wallet_id, currency, version),
    CONSTRAINT posting_sums_to_zero
        CHECK (available + incoming + held + external + fee + transfer + deficit = 0),
    CONSTRAINT posting_kind_is_known CHECK (kind BETWEEN 1 AND 11),
    CONSTRAINT posting_parts_after_are_not_negative
        CHECK (available_after >= 0 AND incoming_after >= 0 AND held_after >= 0),
    CONSTRAINT posting_counts_before_it_is_recorded CHECK (effective_at <= recorded_at)
);

-- One deposit, withdrawal, transfer or correction. Its reference makes it happen once.
-- kind: 1 deposit, 2 withdrawal, 3 transfer, 4 correction
-- state: 1 seen, 2 confirmed, 3 reversed | 4 requested, 5 settled, 6 failed | 7 completed
CREATE TABLE movement (
    shard          smallint      NOT NULL,
    kind           smallint      NOT NULL,
    state          smallint      NOT NULL,
    sighting       smallint      NOT NULL,    -- deposits: which sighting on the chain this is; 0 for the others
    account_id     uuid          NOT NULL,
    id             uuid          NOT NULL,
    wallet_id      uuid          NOT NULL,
    to_wallet_id   uuid,                      -- transfers: the receiving wallet
    reference      uuid          NOT NULL,    -- digest of account and reference_text: unique for ever
    effective_at   timestamptz   NOT NULL,
    updated_at     timestamptz   NOT NULL,
    currency       text COLLATE "C" NOT NULL,
    amount         numeric(38,0) NOT NULL,    -- without fees; a correction downwards is negative
    fee            numeric(38,0) NOT NULL,
    reference_text text          NOT NULL,    -- chain:txid:kind:ordinal, or the caller's key
    description    text,
    CONSTRAINT movement_key PRIMARY KEY (shard, account_id, id),
    CONSTRAINT movement_happens_once UNIQUE (shard, reference),
    CONSTRAINT movement_state_fits_its_kind CHECK (
        (kind = 1 AND state IN (1, 2, 3)) OR (kind = 2 AND state IN (4, 5, 6)) OR (kind IN (3, 4) AND state = 7)),
    CONSTRAINT movement_amount_fits_its_kind CHECK (fee >= 0 AND (amount > 0 OR (kind = 4 AND amount <> 0))),
    CONSTRAINT movement_target_is_for_transfers CHECK ((kind = 3) = (to_wallet_id IS NOT NULL))
) WITH (autovacuum_vacuum_scale_factor = 0.05);

-- Flows, not balances: the close of an hour is the total now less the net of all later hours. A late or reversed
-- deposit touches one row, and a window costs the same for ten postings or a hundred million.
CREATE TABLE flow_hour (
    shard            smallint      NOT NULL,
    account_id       uuid          NOT NULL,
    currency         text COLLATE "C" NOT NULL,
    hour             timestamptz   NOT NULL,   -- UTC start of the hour
    wallet_id        uuid          NOT NULL,
    deposits         numeric(38,0) NOT NULL,
    withdrawals      numeric(38,0) NOT NULL,   -- fees included
    deposit_count    bigint        NOT NULL,
    withdrawal_count bigint        NOT NULL,
    CONSTRAINT flow_hour_key PRIMARY KEY (shard, account_id, currency, hour, wallet_id)
) WITH (fillfactor = 70);

-- The application owns these tables and still may not change what was posted: a correction is a new posting.
REVOKE UPDATE, DELETE, TRUNCATE ON posting FROM CURRENT_USER;
