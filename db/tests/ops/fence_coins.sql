begin;
select plan(14);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

create procedure pg_temp.fill()
language sql
begin atomic
    insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob, uploaded_at)
    values
    ('b0b00000-0000-4000-8000-000000000000', 'before', 'BRONZE', 'p', '', timestamptz '2026-01-01Z'),
    ('b0b00000-0000-4000-8000-000000000000', 'after', 'BRONZE', 'q', '', timestamptz '2026-01-03Z')
    on conflict do nothing;
end;

call pg_temp.fill();
select
    throws_ok(
        format('select * from ops.fence_coins(%L)', typed.moment), '22023', 'uploaded_before must not be in the future',
        format('a time yet to come is a typo: %s', typed.moment)
    )
from (values (clock_timestamp() + interval '1 minute'), ('infinity')) as typed (moment);
select is((select count(*) from coins.coin_inventory), 2::bigint, 'and drops nothing');
select results_eq(
    $$select dropped, epoch > 1 from ops.fence_coins('2026-01-02Z')$$, 'values (1::bigint, true)',
    'an operator who opened the database already gives the time of the opening'
);
select results_eq(
    'select key_id::text from coins.coin_inventory', array['after'],
    'and keeps the coins that were uploaded later'
);
select is(
    (
        select count(*)
        from pg_locks
        where
            pid = pg_backend_pid() and relation = 'coins.coin_inventory'::regclass
            and mode = 'ExclusiveLock' and granted
    ), 1::bigint,
    'claims and uploads wait until the fence is done'
);
call pg_temp.fill();
select
    f.dropped,
    f.epoch as told
from ops.fence_coins() as f
\gset
select is(:dropped, 2, 'an operator who says nothing drops all');
select is(
    (
        select e.number
        from coins.epoch as e
    ), :told::bigint,
    'and is told the epoch that devices will be told'
);
select is_empty(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE')$$, :bob, :alice),
    'no sender ever gets a coin that may have been issued in the lost time'
);
select is(
    coins.upload_coins(
        :bob,
        array[
            ('x', 'BRONZE', repeat('x', 32), repeat('s', 64)), ('before', 'BRONZE', repeat('y', 32), repeat('s', 64))
        ]::coins.coin_upload[]
    ), 1,
    'a dropped coin is remembered as spent'
);
select results_eq(
    'select (coins.watch_stock(null)).epoch > 1 limit 1', array[true],
    'a device that watches is told of a new epoch'
);
set local role aqm_ops_owner;
select lives_ok('select * from ops.fence_coins()', 'the owner of the operations may fence');
set local role aqm_admin;
select throws_ok(
    'select * from ops.fence_coins()', '42501', 'permission denied for function fence_coins',
    'an administrator over HTTP can''t drop everybody''s coins'
);
set local role aqm_device;
select throws_ok(
    'select * from ops.fence_coins()', '42501', 'permission denied for function fence_coins',
    'a device can''t either'
);

select * from finish();
rollback;
