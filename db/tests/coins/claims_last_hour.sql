begin;
select plan(5);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

select is(
    coins.claims_last_hour(), 0::bigint,
    'an operator sees that nothing was claimed'
);

insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at
)
values
(:bob, 'now', 'GOLD', '', '', :alice, now()),
(:alice, 'just inside', 'SILVER', '', '', :bob, now() - interval '1 hour' + interval '1 microsecond'),
(:bob, 'an hour ago', 'BRONZE', '', '', :alice, now() - interval '1 hour'),
(:bob, 'yesterday', 'BRONZE', '', '', :alice, now() - interval '1 day'),
(:bob, 'unclaimed', 'BRONZE', '', '', null, null);

select is(
    coins.claims_last_hour(), 2::bigint,
    'an operator sees how many coins of all users were claimed within the hour, and no unclaimed one'
);

set local role aqm_monitor;
select is(
    coins.claims_last_hour(), 2::bigint,
    'monitoring may ask without a right on the table'
);
select throws_ok(
    'select * from coins.coin_inventory',
    '42501', 'permission denied for table coin_inventory',
    'monitoring can''t read who claimed what'
);
set local role aqm_device;
select throws_ok(
    'select coins.claims_last_hour()',
    '42501', 'permission denied for function claims_last_hour',
    'a device does not see what others claim'
);

select * from finish();
rollback;
