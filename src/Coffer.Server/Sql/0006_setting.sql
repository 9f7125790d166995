-- What is fixed when a database is made or first used, so that a later start with other settings is refused instead of misreading it.

CREATE TABLE ledger_setting (
    only_row boolean  NOT NULL,
    shards   smallint NOT NULL,               -- an account's shard is given for ever, so their number is too
    CONSTRAINT ledger_setting_key PRIMARY KEY (only_row),
    CONSTRAINT ledger_setting_is_one_row CHECK (only_row),
    CONSTRAINT shards_are_within_bounds CHECK (shards BETWEEN 1 AND 1024)
);

-- The decimals that the amounts of each currency were written with.
CREATE TABLE ledger_currency (
    code     text COLLATE "C" NOT NULL,
    decimals smallint         NOT NULL,
    CONSTRAINT ledger_currency_key PRIMARY KEY (code),
    CONSTRAINT ledger_currency_decimals_are_within_bounds CHECK (decimals BETWEEN 0 AND 30)
);
