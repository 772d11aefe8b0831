begin;
select plan(8);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

select results_eq(
    format('select gold, silver, bronze, epoch, last_resort, low_stock from coins.coin_status(%L)', :bob),
    $$values (0::bigint, 0::bigint, 0::bigint, 1::bigint, '{}'::text[], (10, 10, 10)::coins.coin_count)$$,
    'a new device learns that it has nothing, in the first epoch'
);

update coins.epoch
set number = 7;
update coins.coin_category
set low_stock = case name when 'GOLD' then 3 when 'SILVER' then 2 else 0 end;
insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at
)
values
(:bob, 'g', 'GOLD', '1', '', null, null),
(:bob, 's1', 'SILVER', '2', '', null, null),
(:bob, 's2', 'SILVER', '3', '', null, null),
(:bob, 'b1', 'BRONZE', '4', '', null, null),
(:bob, 'b2', 'BRONZE', '5', '', null, null),
(:bob, 'b3', 'BRONZE', '6', '', null, null),
(:bob, 'claimed', 'GOLD', '7', '', :alice, now()),
(:alice, 'of alice', 'GOLD', '8', '', null, null);
insert into coins.last_resort_coin (user_id, coin_category, key_id, public_key_blob, signature_blob)
values
(:bob, 'SILVER', 'l1', '', ''),
(:bob, 'BRONZE', 'l2', '', ''),
(:alice, 'GOLD', 'l3', '', '');

select results_eq(
    format('select gold, silver, bronze from coins.coin_status(%L)', :bob),
    'values (1::bigint, 2::bigint, 3::bigint)',
    'a device learns how many coins nobody has claimed, a number a category'
);
select results_eq(
    format('select epoch from coins.coin_status(%L)', :bob), array[7::bigint],
    'and the epoch'
);
select results_eq(
    format('select last_resort from coins.coin_status(%L)', :bob), $$values ('{BRONZE,SILVER}'::text[])$$,
    'and the categories of its own last-resort coins'
);
select results_eq(
    format('select low_stock from coins.coin_status(%L)', :bob), 'values ((3, 2, 0)::coins.coin_count)',
    'and below how many of each it is time to mint'
);
select results_eq(
    'select gold, epoch from coins.coin_status(null)', 'values (0::bigint, 7::bigint)',
    'nobody has none, and one row'
);
set local role aqm_device;
select lives_ok(format('select * from coins.coin_status(%L)', :bob), 'a device may ask');
set local role aqm_anon;
select throws_ok(
    format('select * from coins.coin_status(%L)', :bob), '42501', 'permission denied for function coin_status',
    'nobody asks without a token'
);

select * from finish();
rollback;
