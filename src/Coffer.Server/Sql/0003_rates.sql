-- Prices in US dollars for one whole unit, as integers of 10^-18 dollar.

-- The last price known in each hour. The newest row of a currency is its current price; the price at the close of a
-- history bucket is the newest row before that close.
CREATE TABLE rate_hour (
    currency text COLLATE "C" NOT NULL,
    hour     timestamptz   NOT NULL,
    usd      numeric(38,0) NOT NULL,
    at       timestamptz   NOT NULL,          -- when this price was set, inside the hour
    source   text          NOT NULL,
    CONSTRAINT rate_hour_key PRIMARY KEY (currency, hour),
    CONSTRAINT rate_is_not_negative CHECK (usd >= 0),
    CONSTRAINT rate_is_of_its_hour CHECK (at >= hour AND at < hour + interval '1 hour')
);
