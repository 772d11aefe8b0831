set local role aqm_coins_owner;

-- A generated column's expression is parsed anew by every claim, although no claim touches the column (docs/adr/0016).
-- From now on upload_coins() brings the value, and a trigger works it out for whoever stores a coin by hand.
alter table coins.coin_inventory
-- squawk-ignore ban-drop-generated-expression
alter column public_key_digest drop expression,
-- squawk-ignore adding-not-nullable-field
alter column public_key_digest set not null;

comment on column coins.coin_inventory.public_key_digest is 'coins.digests() of the public key: no key is stored twice for one user.';
comment on column coins.spent_coin.digests is 'coins.digests() of each coin''s key_id and of its public key.';
