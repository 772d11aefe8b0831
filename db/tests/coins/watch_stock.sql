begin;
select plan(7);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

update coins.epoch
set number = 7;
update coins.coin_category
set low_stock = case name when 'GOLD' then 3 when 'SILVER' then 2 else 0 end;

select set_eq(
    format('select event, coin_category, unclaimed, low_stock, epoch from coins.watch_stock(%L)', :bob),
    $$values
    ('epoch', null, null, null, 7::bigint), ('low_stock', 'GOLD', 0::bigint, 3, null), ('low_stock', 'SILVER', 0, 2, null)$$,
    'a new device is told the epoch and which categories it must mint; a threshold of none is never low'
);

insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at
)
values
(:bob, 'g1', 'GOLD', '1', '', null, null),
(:bob, 'g2', 'GOLD', '2', '', null, null),
(:bob, 's1', 'SILVER', '3', '', null, null),
(:bob, 's2', 'SILVER', '4', '', null, null),
(:bob, 'claimed', 'GOLD', '5', '', :alice, now()),
(:alice, 'of alice', 'GOLD', '6', '', null, null);
select set_eq(
    format('select event, coin_category, unclaimed, low_stock, epoch from coins.watch_stock(%L)', :bob),
    $$values ('epoch', null, null, null, 7::bigint), ('low_stock', 'GOLD', 2::bigint, 3, null)$$,
    'a category at its threshold is not low, one below it is; claimed coins and those of others don''t count'
);
select bag_eq(
    format('select event, unclaimed from coins.watch_stock(%L)', :alice),
    $$values ('epoch', null), ('low_stock', 1::bigint), ('low_stock', 0)$$,
    'each user is told the own stock'
);
update coins.coin_category
set low_stock = 2
where name = 'GOLD';
select results_eq(
    format('select event, epoch from coins.watch_stock(%L)', :bob), $$values ('epoch', 7::bigint)$$,
    'a device with enough of all hears of the epoch only'
);
update coins.epoch
set number = 8;
select results_eq(
    format('select event, epoch from coins.watch_stock(%L)', :bob), $$values ('epoch', 8::bigint)$$,
    'and of the next one'
);
set local role aqm_device;
select lives_ok(format('select * from coins.watch_stock(%L)', :bob), 'a device may watch');
set local role aqm_anon;
select throws_ok(
    format('select * from coins.watch_stock(%L)', :bob), '42501', 'permission denied for function watch_stock',
    'nobody watches without a token'
);

select * from finish();
rollback;
