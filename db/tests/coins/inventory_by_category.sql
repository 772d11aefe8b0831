begin;
select plan(6);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

select results_eq(
    'select category, value from coins.inventory_by_category()',
    $$values ('BRONZE', 0::bigint), ('GOLD', 0), ('SILVER', 0)$$,
    'an empty inventory shows each category with 0 coins'
);

insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at
)
values
(:bob, 'g1', 'GOLD', '', '', null, null),
(:bob, 'g2', 'GOLD', '', '', :alice, now()),
(:alice, 'g1', 'GOLD', '', '', null, null),
(:bob, 's1', 'SILVER', '', '', :alice, now()),
(:bob, 'b1', 'BRONZE', '', '', null, null);

select results_eq(
    'select category, value from coins.inventory_by_category()',
    $$values ('BRONZE', 1::bigint), ('GOLD', 2), ('SILVER', 0)$$,
    'an operator sees the unclaimed coins of all users by category'
);

insert into coins.coin_category (name, public_key_bytes, signature_bytes) values ('COPPER', 1, 1);
select results_eq(
    'select category, value from coins.inventory_by_category()',
    $$values ('BRONZE', 1::bigint), ('COPPER', 0), ('GOLD', 2), ('SILVER', 0)$$,
    'a new category shows by itself'
);

set local role aqm_monitor;
select lives_ok('select * from coins.inventory_by_category()', 'monitoring may ask');
set local role aqm_gateway;
select lives_ok('select * from coins.inventory_by_category()', 'the gateway may ask, for its metrics');
set local role aqm_device;
select throws_ok(
    'select * from coins.inventory_by_category()',
    '42501', 'permission denied for function inventory_by_category',
    'a device does not see what others have'
);

select * from finish();
rollback;
