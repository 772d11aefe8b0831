begin;
select plan(8);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''
\set dave '''dafe0000-0000-4000-8000-000000000000'''

select is_empty(
    'select * from coins.top_inventories()',
    'an empty inventory has no top'
);

insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at
)
values
(:dave, 'd1', 'BRONZE', '', '', null, null),
(:carol, 'c1', 'BRONZE', '', '', null, null),
(:bob, 'b1', 'GOLD', '', '', null, null),
(:bob, 'b2', 'BRONZE', '', '', null, null),
(:carol, 'c2', 'BRONZE', '', '', :bob, now()),
(:carol, 'c3', 'BRONZE', '', '', :bob, now()),
(:alice, 'a1', 'BRONZE', '', '', :bob, now());

select results_eq(
    'select user_id, available from coins.top_inventories()',
    format('values (%L::uuid, 2::bigint), (%L, 1), (%L, 1)', :bob, :carol, :dave),
    'an operator sees who has the most unclaimed coins of all categories, and nobody who has none'
);
select results_eq(
    'select user_id from coins.top_inventories(1)',
    array[:bob::uuid],
    'an operator may ask for fewer'
);
select is_empty(
    'select * from coins.top_inventories(0)',
    'an operator who asks for none sees none'
);

insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
select
    gen_random_uuid() as user_id,
    'k' as key_id,
    'GOLD' as coin_category,
    '' as public_key_blob,
    '' as signature_blob
from generate_series(1, 10);

select is(
    (select count(*) from coins.top_inventories()), 10::bigint,
    'an operator who names no number sees ten'
);
select is(
    (select count(*) from coins.top_inventories(null)), 13::bigint,
    'an operator who asks for no limit sees all'
);

set local role aqm_monitor;
select lives_ok('select * from coins.top_inventories(10)', 'monitoring may ask');
set local role aqm_device;
select throws_ok(
    'select * from coins.top_inventories(10)',
    '42501', 'permission denied for function top_inventories',
    'a device does not see what others have'
);

select * from finish();
rollback;
