set local role aqm_coins_owner;

-- A generated column's expression is parsed anew by every claim, although no claim touches the column
-- (docs/adr/0016). From now on upload_coins() brings the value, and a trigger works it out for whoever stores a coin
-- by hand. The trigger is made here, with its function, and not in the function's file: to make it anew at each deploy
-- would lock out all claims, and until the functions are applied it serves the upload of before.
alter table coins.coin_inventory
-- squawk-ignore ban-drop-generated-expression
alter column public_key_digest drop expression,
-- squawk-ignore adding-not-nullable-field
alter column public_key_digest set not null;

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

comment on column coins.coin_inventory.public_key_digest is 'coins.digests() of the public key: no key is stored twice for one user.';
comment on column coins.spent_coin.digests is 'coins.digests() of each coin''s key_id and of its public key.';
