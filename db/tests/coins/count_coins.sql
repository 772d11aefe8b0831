begin;
select plan(4);

\set bob '''b0b00000-0000-4000-8000-000000000000'''

select results_eq(
    format('select gold, silver, bronze from coins.count_coins(%L)', :bob),
    'values (0::bigint, 0::bigint, 0::bigint)',
    'a user without coins has none of each category'
);

insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at
)
values
(:bob, 'g1', 'GOLD', '', '', null, null),
(:bob, 'g2', 'GOLD', '', '', null, null),
(:bob, 's1', 'SILVER', '', '', null, null),
(:bob, 'b1', 'BRONZE', '', '', :bob, now()),
(gen_random_uuid(), 'g1', 'GOLD', '', '', null, null);

select results_eq(
    format('select gold, silver, bronze from coins.count_coins(%L)', :bob),
    'values (2::bigint, 1::bigint, 0::bigint)',
    'a user sees the unclaimed coins of each category, and nobody else''s'
);

set local role aqm_device;
select lives_ok(
    format('select * from coins.count_coins(%L)', :bob),
    'a device may count'
);
set local role aqm_anon;
select throws_ok(
    format('select * from coins.count_coins(%L)', :bob),
    '42501', null,
    'nobody counts without a token'
);

select * from finish();
rollback;
