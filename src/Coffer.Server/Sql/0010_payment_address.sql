-- Two payments at one address could not be told apart. Also how to see that an address is a payment's.
CREATE UNIQUE INDEX payment_has_an_address_of_its_own ON payment (shard, address_id);
