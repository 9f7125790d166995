-- Prices from outside: what each source said last, when each is asked next, and how far the sources of a price were apart.

-- Dollars between the highest and the lowest source of this price; null when one alone said it.
ALTER TABLE rate_hour
    ADD COLUMN spread numeric(38,0),
    ADD CONSTRAINT rate_spread_is_not_negative CHECK (spread >= 0);

-- The newest that a source said of a currency, converted to dollars. Kept so that a restart goes on with it.
CREATE TABLE rate_quote (
    currency text COLLATE "C" NOT NULL,
    source   text COLLATE "C" NOT NULL,
    usd      numeric(38,0) NOT NULL,
    at       timestamptz   NOT NULL,
    used     boolean       NOT NULL,          -- it is among those that agreed when the price was set last
    CONSTRAINT rate_quote_key PRIMARY KEY (currency, source),
    CONSTRAINT rate_quote_is_a_price CHECK (usd > 0)
);

-- One row per source. A server that asks a source moves due_at on first: of several servers one asks, and one that dies is made up for.
CREATE TABLE rate_source (
    name        text COLLATE "C" NOT NULL,
    due_at      timestamptz NOT NULL,
    failures    integer     NOT NULL,          -- in a row
    answered_at timestamptz,
    last_error  text,                          -- of the last question; null when it was answered
    CONSTRAINT rate_source_key PRIMARY KEY (name),
    CONSTRAINT rate_failures_are_counted CHECK (failures >= 0)
);
