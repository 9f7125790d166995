-- Who signs in to the dashboard, and his sessions.

-- A user of one account. The password is hashed slowly; the authenticator's secret is encrypted with the keys of the keys folder.
CREATE TABLE dashboard_user (
    id              uuid             NOT NULL,
    name            text COLLATE "C" NOT NULL,           -- in small letters; what is typed to sign in
    account_id      uuid             NOT NULL,
    shard           smallint         NOT NULL,
    mode            smallint         NOT NULL,
    role            smallint         NOT NULL,           -- 1 viewer, 2 owner, 3 operator
    password_hash   bytea            NOT NULL,           -- PBKDF2 with SHA-256
    password_salt   bytea            NOT NULL,
    password_rounds integer          NOT NULL,
    totp            bytea,                               -- encrypted; null: no authenticator
    totp_step       bigint           NOT NULL DEFAULT 0, -- the last step whose code was used: no code counts twice
    theme           smallint         NOT NULL DEFAULT 0, -- 0 as the machine has it, 1 light, 2 dark
    hides_amounts   boolean          NOT NULL DEFAULT false,
    created_at      timestamptz      NOT NULL,
    disabled_at     timestamptz,
    CONSTRAINT dashboard_user_key PRIMARY KEY (id),
    CONSTRAINT dashboard_user_name_is_unique UNIQUE (name),
    CONSTRAINT dashboard_user_role_is_known CHECK (role IN (1, 2, 3)),
    CONSTRAINT dashboard_user_theme_is_known CHECK (theme IN (0, 1, 2))
);

CREATE INDEX dashboard_user_by_account ON dashboard_user (account_id, created_at);

-- A session is a credential of kind 3: found by the hash of its cookie, ended like any other.
ALTER TABLE credential ADD COLUMN user_id uuid;   -- sessions: whose
ALTER TABLE credential DROP CONSTRAINT credential_kind_is_known;
ALTER TABLE credential ADD CONSTRAINT credential_kind_is_known CHECK (kind IN (1, 2, 3));
ALTER TABLE credential DROP CONSTRAINT access_token_has_client_and_end;
ALTER TABLE credential ADD CONSTRAINT access_token_has_client_and_end CHECK (kind <> 2 OR (client_id IS NOT NULL AND expires_at IS NOT NULL));
ALTER TABLE credential ADD CONSTRAINT session_has_user_and_end CHECK ((kind = 3) = (user_id IS NOT NULL) AND (kind <> 3 OR expires_at IS NOT NULL));
CREATE INDEX session_by_user ON credential (user_id) WHERE kind = 3;

-- The dashboard lists an account's clients.
CREATE INDEX oauth_client_by_account ON oauth_client (account_id, created_at, client_id);

-- So that the worker that deletes what has expired finds sessions too.
DROP INDEX access_token_by_end;
CREATE INDEX token_or_session_by_end ON credential (expires_at) WHERE kind <> 1;
