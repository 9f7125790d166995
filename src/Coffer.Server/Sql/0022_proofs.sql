-- What was proven, when and with what result: the ledger by its own proofs, chains and hot wallets against their nodes.
CREATE TABLE proof (
    id          uuid             NOT NULL,
    subject     text COLLATE "C" NOT NULL,   -- ledger, chain:ID, hot_wallet:ID
    asked_by    text             NOT NULL,   -- the name of a user; schedule
    asked_at    timestamptz      NOT NULL,
    alive_at    timestamptz,                 -- when the process that runs it last said so; null: nobody runs it
    finished_at timestamptz,
    result      smallint,                    -- 1 holds, 2 wrong, 3 cannot be told
    summary     text,                        -- what was read, or why it cannot be told
    wrong       bigint,                      -- how many rows or facts are wrong
    findings    text[],                      -- the first of them
    CONSTRAINT proof_key PRIMARY KEY (id),
    CONSTRAINT proof_result_is_known CHECK (result IN (1, 2, 3)),
    CONSTRAINT proof_ends_with_a_result CHECK ((finished_at IS NULL) = (result IS NULL))
);

-- Who asks while one is asked for, gets that one.
CREATE UNIQUE INDEX proof_is_asked_once ON proof (subject) WHERE finished_at IS NULL;
CREATE INDEX proof_by_subject ON proof (subject, asked_at DESC, id DESC);
