-- Where an account is told of its events, and with which secrets what it is told is signed.
--
-- kind: 1 an endpoint, told of every event of its types; 2 the account's callbacks: it has no url and no types of its own, and signs what is
--       sent to the callback_url of single payments and withdrawals
-- state: 1 pending (no signed ping has been answered with 2xx yet), 2 enabled, 3 disabled by its owner, 4 disabled by Coffer
CREATE TABLE webhook_endpoint (
    shard           smallint    NOT NULL,
    account_id      uuid        NOT NULL,
    id              uuid        NOT NULL,
    kind            smallint    NOT NULL,
    url             text,
    description     text,
    types           text[],                   -- null: all
    state           smallint    NOT NULL,
    state_reason    text,                     -- why Coffer disabled it, for its owner
    secret          bytea       NOT NULL,     -- encrypted; the keys are not in the database
    previous_secret bytea,                    -- signs too until previous_until
    previous_until  timestamptz,
    first_number    bigint      NOT NULL,     -- the account's events with numbers above this one are told
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT webhook_endpoint_key PRIMARY KEY (shard, account_id, id),
    CONSTRAINT webhook_kind_is_known CHECK (kind IN (1, 2)),
    CONSTRAINT webhook_state_is_known CHECK (state IN (1, 2, 3, 4)),
    CONSTRAINT endpoint_has_a_url CHECK ((url IS NOT NULL) = (kind = 1)),
    CONSTRAINT callbacks_have_no_types CHECK (kind = 1 OR types IS NULL),
    CONSTRAINT callbacks_are_not_pending CHECK (kind = 1 OR state <> 1),
    CONSTRAINT reason_is_coffers CHECK ((state_reason IS NOT NULL) = (state = 4)),
    CONSTRAINT previous_secret_has_its_end CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
);

CREATE UNIQUE INDEX one_callbacks_per_account ON webhook_endpoint (shard, account_id) WHERE kind = 2;
