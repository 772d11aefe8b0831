set local role aqm_coins_owner;

create function coins.fill_public_key_digest()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    new.public_key_digest := ('x' || left(encode(sha256(new.public_key_blob), 'hex'), 16))::bit(64)::bigint;
    return new;
end
$$;

create trigger fill_public_key_digest
before insert on coins.coin_inventory
for each row when (new.public_key_digest is null) execute function coins.fill_public_key_digest();
