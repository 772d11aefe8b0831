-- Ages of keys and coins, keys of last resort, public keys under other names, the highest time seen.
-- Adding columns moves no record. What is from before was stored 30 days before it expires.
alter table vault add column stored_at integer not null default 0;

alter table vault add column is_last_resort integer not null default 0;

update vault set stored_at = expires_at - 2592000000 where state = 'ACTIVE';

drop index vault_active;

create index vault_active on vault (category, expires_at) where state = 'ACTIVE' and is_last_resort = 0;

create index vault_order on vault (stored_at, id) where state = 'ACTIVE';

-- Coins from before don't say when they were minted: 1970 is too long ago for any use.
alter table coins add column minted_at integer not null default 0;

alter table coins add column digest text not null default '';

create index coins_age on coins (minted_at, category);

alter table taken add column digest text not null default '';

create index taken_digest on taken (contact_id, digest);

create table clock (
    id integer primary key check (id = 1),
    highest integer not null -- milliseconds
);

insert into clock select 1, coalesce(max(expires_at) - 2592000000, 0) from vault;
