-- Accounts, their wallets, what opens them, and what they asked for already.

-- One customer of the operator. `shard` is given at creation and never changes: it is the account's writer lane.
CREATE TABLE account (
    id         uuid        NOT NULL,
    shard      smallint    NOT NULL,
    mode       smallint    NOT NULL,          -- 0 live, 1 test
    name       text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT account_key PRIMARY KEY (id),
    CONSTRAINT account_mode_is_known CHECK (mode IN (0, 1))
);

CREATE TABLE wallet (
    shard      smallint    NOT NULL,
    account_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    name       text        NOT NULL,
    is_default boolean     NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT wallet_key PRIMARY KEY (shard, account_id, id)
);

-- Every account has exactly one wallet that money goes to when none is named.
CREATE UNIQUE INDEX one_default_wallet_per_account ON wallet (shard, account_id) WHERE is_default;

-- API keys and OAuth access tokens, found by the SHA-256 of the secret; the secret itself is never stored.
-- kind: 1 API key, 2 access token
CREATE TABLE credential (
    hash         bytea       NOT NULL,
    kind         smallint    NOT NULL,
    id           uuid        NOT NULL,
    account_id   uuid        NOT NULL,
    shard        smallint    NOT NULL,
    mode         smallint    NOT NULL,
    scopes       smallint    NOT NULL,        -- bit 1 read, bit 2 write; fixed at creation
    wallets      uuid[],                      -- null: every wallet of the account
    addresses    text[],                      -- null: from everywhere; else client addresses or CIDR blocks
    name         text,                        -- API keys: given by the owner
    hint         text,                        -- API keys: prefix and last four, to tell keys apart
    client_id    text,                        -- access tokens: the OAuth client it was given to
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    CONSTRAINT credential_key PRIMARY KEY (hash),
    CONSTRAINT credential_id_is_unique UNIQUE (id),
    CONSTRAINT credential_kind_is_known CHECK (kind IN (1, 2)),
    CONSTRAINT access_token_has_client_and_end CHECK (kind = 1 OR (client_id IS NOT NULL AND expires_at IS NOT NULL))
) WITH (fillfactor = 80);

CREATE INDEX credential_by_account ON credential (account_id, kind, created_at, id);

-- OAuth clients for the client credentials grant (RFC 6749, 4.4).
CREATE TABLE oauth_client (
    client_id   text        NOT NULL,
    secret_hash bytea       NOT NULL,
    account_id  uuid        NOT NULL,
    shard       smallint    NOT NULL,
    mode        smallint    NOT NULL,
    scopes      smallint    NOT NULL,
    name        text        NOT NULL,
    created_at  timestamptz NOT NULL,
    revoked_at  timestamptz,
    CONSTRAINT oauth_client_key PRIMARY KEY (client_id)
);

-- Requests that move money and came with an Idempotency-Key. A row without a status is a claim: somebody is at work on it, or was
-- when his process died. Kept for days; what must never happen twice rests on the references of the ledger, not on this table.
CREATE TABLE idempotency_key (
    account_id uuid             NOT NULL,
    key        text COLLATE "C" NOT NULL,
    digest     bytea            NOT NULL,  -- SHA-256 of method, path, query and body: what the key was sent with
    claim      uuid             NOT NULL,  -- the run that works on it
    claimed_at timestamptz      NOT NULL,
    status     smallint,                   -- of the answer; null until there is one
    body       bytea,                      -- of the answer, byte for byte
    CONSTRAINT idempotency_key_key PRIMARY KEY (account_id, key),
    CONSTRAINT answer_has_status_and_body CHECK ((status IS NULL) = (body IS NULL))
);

CREATE INDEX idempotency_key_by_age ON idempotency_key (claimed_at);

-- So that the worker that deletes expired access tokens finds them.
CREATE INDEX access_token_by_end ON credential (expires_at) WHERE kind = 2;
