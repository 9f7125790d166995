-- Where deposit addresses come from. An address is its source and an index; an index is given out once and never again.

-- What addresses are derived from: an account-level extended public key by its fingerprint (BIP32), or on a simulated chain a
-- wallet and a network.
CREATE TABLE address_source (
    family        text COLLATE "C" NOT NULL,
    source        text COLLATE "C" NOT NULL,
    first_address text   NOT NULL,            -- at index 0, so that another key that looks the same is noticed
    next_index    bigint NOT NULL,
    CONSTRAINT address_source_key PRIMARY KEY (family, source),
    CONSTRAINT address_index_is_not_negative CHECK (next_index >= 0)
);

ALTER TABLE chain_address ADD COLUMN id uuid;
ALTER TABLE chain_address ADD COLUMN source text COLLATE "C";
UPDATE chain_address SET id = gen_random_uuid(), source = wallet_id::text || ':' || network;
ALTER TABLE chain_address ALTER COLUMN id SET NOT NULL, ALTER COLUMN source SET NOT NULL;
ALTER TABLE chain_address DROP CONSTRAINT one_address_per_index;
ALTER TABLE chain_address ADD CONSTRAINT one_address_per_index UNIQUE (family, source, index);
ALTER TABLE chain_address ADD CONSTRAINT chain_address_id_is_unique UNIQUE (id);

-- Those that were made before have used index 0 of their source.
INSERT INTO address_source (family, source, first_address, next_index)
SELECT family, source, address, 1 FROM chain_address WHERE index = 0;
