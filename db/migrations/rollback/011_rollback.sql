drop trigger if exists fill_public_key_digest on coins.coin_inventory;
set local role aqm_coins_owner;

alter table coins.coin_inventory drop column public_key_digest;
alter table coins.coin_inventory
add column public_key_digest bigint
generated always as (('x' || left(encode(sha256(public_key_blob), 'hex'), 16))::bit(64)::bigint) stored;
comment on column coins.coin_inventory.public_key_digest is 'coins.digest() of the public key: no key is stored twice for one user.';
comment on column coins.spent_coin.digests is 'coins.digest() of each coin''s key_id and of its public key.';
