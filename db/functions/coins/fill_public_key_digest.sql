create or replace function coins.fill_public_key_digest()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    new.public_key_digest := (coins.digests(array[new.public_key_blob]))[1];
    return new;
end
$$;

comment on function coins.fill_public_key_digest() is
'Works out the digest of a public key for whoever stores a coin by hand; upload_coins() brings its own.
Errors: none.';

revoke all on function coins.fill_public_key_digest() from public;

select ops.keep_trigger(
    'coins.coin_inventory',
    'fill_public_key_digest',
    'before insert on coins.coin_inventory
    for each row when (new.public_key_digest is null) execute function coins.fill_public_key_digest()'
);
