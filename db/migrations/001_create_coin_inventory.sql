set local role aqm_coins_owner;

create table coins.coin_category (
    name varchar(6) primary key,
    public_key_bytes integer not null check (public_key_bytes > 0),
    signature_bytes integer not null check (signature_bytes > 0),
    max_unclaimed integer not null default 1000 check (max_unclaimed > 0),
    low_stock integer not null default 10 check (low_stock >= 0)
);

comment on table coins.coin_category is 'The kinds of coins: sizes and limits are rows (docs/playbooks.md).';
comment on column coins.coin_category.public_key_bytes is 'Exact size of a public key, in bytes.';
comment on column coins.coin_category.signature_bytes is 'Exact size of a signature, in bytes.';
comment on column coins.coin_category.max_unclaimed is 'How many unclaimed coins of this category one user may have.';
comment on column coins.coin_category.low_stock is 'Below so many unclaimed coins a device should mint.';

insert into coins.coin_category (name, public_key_bytes, signature_bytes)
values
('GOLD', 1184, 2420),    -- ML-KEM-768 (Kyber-768), ML-DSA-44 (Dilithium2)
('SILVER', 1184, 64),    -- ML-KEM-768, Ed25519
('BRONZE', 32, 64);      -- X25519, Ed25519

create table coins.coin_inventory (
    record_id bigint generated always as identity,
    user_id uuid not null,
    key_id varchar(36) not null,
    coin_category varchar(6) not null check (coin_category in ('GOLD', 'SILVER', 'BRONZE')),
    public_key_blob bytea not null,
    signature_blob bytea not null,
    uploaded_at timestamptz not null default now(),
    fetched_by uuid default null,
    fetched_at timestamptz default null,
    -- The primary key, so that the table can be sharded by user_id (docs/adr/0004).
    constraint uq_user_key primary key (user_id, key_id),
    constraint ck_fetched_whole check ((fetched_by is null) = (fetched_at is null))
)
with (
    -- Both blobs out of line: the row that a claim rewrites is narrow (docs/adr/0004).
    toast_tuple_target = 128,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);

-- Keys are random bytes: compressing them is tried in vain at every upload.
alter table coins.coin_inventory alter column public_key_blob set storage external;
alter table coins.coin_inventory alter column signature_blob set storage external;

comment on table coins.coin_inventory is 'One-time public keys: unclaimed ones wait, claimed ones are deleted after a grace period.';
comment on column coins.coin_inventory.record_id is 'Order of arrival; never shown to a client.';
comment on column coins.coin_inventory.user_id is 'Whose key store minted the coin: the recipient.';
comment on column coins.coin_inventory.key_id is 'The device''s own name for the key pair.';
comment on column coins.coin_inventory.uploaded_at is 'Time of the upload: coins nobody claims are purged by it.';
comment on column coins.coin_inventory.fetched_by is 'The sender who claimed the coin; null while it is unclaimed.';
comment on column coins.coin_inventory.fetched_at is 'Time of the claim: claimed coins are hard-deleted by it.';

-- uploaded_at is one value for a whole upload; record_id makes the order first in, first out.
create index idx_coin_lookup on coins.coin_inventory (user_id, coin_category, uploaded_at, record_id)
where fetched_by is null;

create index idx_coin_expiry on coins.coin_inventory (uploaded_at)
where fetched_by is null;

create index idx_coin_hard_delete on coins.coin_inventory (fetched_at)
where fetched_by is not null;

create type coins.coin_upload as (
    key_id text,
    coin_category text,
    public_key_blob bytea,
    signature_blob bytea
);

comment on type coins.coin_upload is 'A coin as a device uploads it.';
comment on column coins.coin_upload.key_id is 'The device''s own name for the key pair, 1 to 36 characters.';
comment on column coins.coin_upload.coin_category is 'GOLD, SILVER or BRONZE.';
comment on column coins.coin_upload.public_key_blob is 'Public key: 1184 bytes (GOLD, SILVER) or 32 (BRONZE).';
comment on column coins.coin_upload.signature_blob is 'Signature: 2420 bytes (GOLD) or 64 (SILVER, BRONZE).';

create type coins.claimed_coin as (
    key_id text,
    coin_category text,
    public_key_blob bytea,
    signature_blob bytea
);

comment on type coins.claimed_coin is 'A coin as its one sender receives it.';
comment on column coins.claimed_coin.key_id is 'The name by which the recipient finds the private key.';
comment on column coins.claimed_coin.coin_category is 'GOLD, SILVER or BRONZE.';
comment on column coins.claimed_coin.public_key_blob is 'The public key to encrypt to.';
comment on column coins.claimed_coin.signature_blob is 'The recipient''s signature of the public key; check it.';

create type coins.batch_claimed_coin as (
    call_number integer,
    error_code text,
    error_message text,
    key_id text,
    coin_category text,
    public_key_blob bytea,
    signature_blob bytea
);

comment on type coins.batch_claimed_coin is 'A claimed coin, or a refusal, with the number of the call that it answers.';

create type coins.coin_count as (
    gold bigint,
    silver bigint,
    bronze bigint
);

comment on type coins.coin_count is 'How many coins there are of each category.';
comment on column coins.coin_count.gold is 'Unclaimed GOLD coins.';
comment on column coins.coin_count.silver is 'Unclaimed SILVER coins.';
comment on column coins.coin_count.bronze is 'Unclaimed BRONZE coins.';
