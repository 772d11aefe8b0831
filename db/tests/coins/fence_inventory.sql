begin;
select plan(16);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

create function pg_temp.coin(p_key_id text, p_seed text default null)
returns coins.coin_upload
language sql
immutable
return (
    p_key_id, 'BRONZE', rpad('', 32, md5(coalesce(p_seed, p_key_id)))::bytea, rpad('', 64, 's')::bytea
);

insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, uploaded_at, fetched_by, fetched_at
)
select
    c.user_id::uuid as user_id,
    c.key_id,
    'BRONZE' as coin_category,
    (pg_temp.coin(c.key_id)).public_key_blob as public_key_blob,
    '' as signature_blob,
    timestamptz '2026-01-01 12:00Z' + c.after_opening as uploaded_at,
    c.fetched_by::uuid as fetched_by,
    case when c.fetched_by is not null then now() end as fetched_at
from (
    values
    (:bob, 'old', interval '-1 year', null),
    (:bob, 'before', interval '-1 microsecond', null),
    (:bob, 'at', interval '0', null),
    (:bob, 'after', interval '1 hour', null),
    (:bob, 'claimed', interval '-1 hour', :alice),
    (:alice, 'of alice', interval '-1 hour', null)
) as c (user_id, key_id, after_opening, fetched_by);
insert into coins.last_resort_coin (user_id, coin_category, key_id, public_key_blob, signature_blob)
values (:bob, 'GOLD', 'last', 'last', '');

select results_eq(
    $$select dropped, epoch > 1767225600 from coins.fence_inventory('2026-01-01 12:00Z')$$,
    'values (3::bigint, true)',
    'an operator is told how many coins were dropped, and an epoch that has the time in it'
);
select results_eq(
    'select key_id::text from coins.coin_inventory order by uploaded_at, key_id', array['claimed', 'at', 'after'],
    'unclaimed coins from before the opening go, later ones stay, and so do claimed ones: their senders may retry'
);
select is_empty(
    format('select key_id from coins.claim_coins(%L, %L, %L)', :alice, :bob, 'BRONZE'),
    'no sender ever gets a coin that may have been issued in the lost time'
);
select is(
    coins.upload_coins(
        :bob,
        array[pg_temp.coin('old'), pg_temp.coin('before'), pg_temp.coin('new name', 'old'), pg_temp.coin('of alice')]
    ), 1,
    'a dropped coin is refused for ever, by its name and by its key; another user''s name is free'
);
select is(
    coins.upload_coins(
        :alice,
        array[pg_temp.coin('of alice'), pg_temp.coin('new name', 'of alice'), pg_temp.coin('of alice', 'new key')]
    ), 0,
    'the coins of each user are remembered'
);
select isnt(
    (
        select e.raised_at
        from coins.epoch as e
    ), null,
    'the time of the fence is kept'
);
select is_empty(
    'select 1 from coins.epoch where raised_at <> now()', 'and it is now'
);
select results_eq(
    $$select key_id::text from coins.last_resort_coin$$, array['last'],
    'a last-resort coin is one that many get anyway: it stays'
);

select throws_ok(
    format('select coins.upload_coins(%L, array[pg_temp.coin(%L)], 1)', :bob, 'fresh'), 'PT409', null,
    'a device that does not know of the restore can''t upload'
);
select is(
    coins.upload_coins(:bob, array[pg_temp.coin('fresh')], (select e.number from coins.epoch as e)), 1,
    'one that knows the new epoch can'
);

update coins.epoch
set number = 9000000000;
select results_eq(
    'select dropped, epoch from coins.fence_inventory(null)', 'values (4::bigint, 9000000001::bigint)',
    'without a time all unclaimed coins go, and the epoch rises even where it is ahead of the clock'
);
select results_eq(
    'select key_id::text from coins.coin_inventory', array['claimed'],
    'only what was claimed is left'
);
select is(
    coins.upload_coins(:bob, array[pg_temp.coin('old'), pg_temp.coin('fresh'), pg_temp.coin('at')]), 0,
    'a second fence forgets nothing of the first'
);
select results_eq(
    'select dropped, epoch from coins.fence_inventory(null)', 'values (0::bigint, 9000000002::bigint)',
    'an empty inventory begins anew, too'
);
set local role aqm_device;
select throws_ok(
    'select coins.fence_inventory(null)', '42501', 'permission denied for function fence_inventory',
    'a device can''t drop everybody''s coins'
);
set local role aqm_admin;
select throws_ok(
    'select coins.fence_inventory(null)', '42501', 'permission denied for function fence_inventory',
    'an administrator over HTTP can''t either'
);

select * from finish();
rollback;
