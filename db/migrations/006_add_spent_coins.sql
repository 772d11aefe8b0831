drop function if exists coins.upload_coins(uuid, coins.coin_upload[]);

set local role aqm_coins_owner;

-- The expression of coins.digest(), which a migration must not call. Rewrites the table.
alter table coins.coin_inventory
add column public_key_digest bigint
-- squawk-ignore adding-field-with-default
generated always as (('x' || left(encode(sha256(public_key_blob), 'hex'), 16))::bit(64)::bigint) stored;

comment on column coins.coin_inventory.public_key_digest is 'coins.digest() of the public key: no key is stored twice for one user.';

create table coins.spent_coin (
    user_id uuid not null,
    month date not null,
    digests bigint[] not null,
    constraint pk_spent_coin primary key (user_id, month)
)
partition by range (month);

comment on table coins.spent_coin is 'Coins that were issued and then deleted: none of them is ever taken again. A partition a month, made by coins.add_spent_month().';
comment on column coins.spent_coin.month is 'First day of the month in which they were deleted.';
comment on column coins.spent_coin.digests is 'coins.digest() of each coin''s key_id and of its public key.';
