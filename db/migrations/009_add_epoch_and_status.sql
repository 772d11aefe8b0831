set local role aqm_coins_owner;

-- ops.fence_coins() calls coins.fence_inventory().
grant usage on schema coins to aqm_ops_owner;

create table coins.epoch (
    number bigint not null check (number > 0),
    raised_at timestamptz not null default now(),
    is_current boolean not null default true check (is_current),
    constraint pk_epoch primary key (is_current)
);

comment on table coins.epoch is 'One row: how often the inventory began anew. Raised by coins.fence_inventory() after a restore.';
comment on column coins.epoch.is_current is 'Always true: there is one row.';

insert into coins.epoch (number) values (1);

create type coins.inventory_status as (
    gold bigint,
    silver bigint,
    bronze bigint,
    epoch bigint,
    last_resort text[], -- noqa: LT01
    low_stock coins.coin_count
);

comment on type coins.inventory_status is 'What a device wants to know before it mints.';
comment on column coins.inventory_status.gold is 'Unclaimed GOLD coins.';
comment on column coins.inventory_status.silver is 'Unclaimed SILVER coins.';
comment on column coins.inventory_status.bronze is 'Unclaimed BRONZE coins.';
comment on column coins.inventory_status.epoch is 'When it rises: discard all unissued private keys, mint, upload.';
comment on column coins.inventory_status.last_resort is 'Categories that have a last-resort coin.';
comment on column coins.inventory_status.low_stock is 'Below so many coins of a category it is time to mint.';

create type coins.issued_coin as (
    key_id text,
    coin_category text,
    claimed_at timestamptz,
    cursor text
);

comment on type coins.issued_coin is 'A coin that went, and when; to whom is not told.';
comment on column coins.issued_coin.key_id is 'The device''s own name for the key pair.';
comment on column coins.issued_coin.cursor is 'Give it back to go on after this coin.';

create type coins.stock_event as (
    event text,
    coin_category text,
    unclaimed bigint,
    low_stock integer,
    epoch bigint
);

comment on type coins.stock_event is 'What a device is told while it watches.';
comment on column coins.stock_event.event is 'low_stock: a category is below its threshold. epoch: the present epoch.';
comment on column coins.stock_event.unclaimed is 'Coins of the category that are left.';
comment on column coins.stock_event.low_stock is 'The threshold of the category.';
