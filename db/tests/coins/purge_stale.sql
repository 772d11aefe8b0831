begin;
select plan(18);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, uploaded_at, fetched_by, fetched_at
)
values
(:bob, '1000 days', 'GOLD', '', '', now() - interval '1000 days', null, null),
(:bob, '1000 days, claimed', 'GOLD', '', '', now() - interval '1000 days', :alice, now() - interval '999 days'),
(:bob, '31 days', 'SILVER', '', '', now() - interval '31 days', null, null),
(:alice, '30 days and a moment', 'BRONZE', '', '', now() - interval '30 days' - interval '1 microsecond', null, null),
(:alice, '30 days', 'BRONZE', '', '', now() - interval '30 days', null, null),
(:bob, '1 day', 'BRONZE', '', '', now() - interval '1 day', null, null),
(:bob, 'now', 'BRONZE', '', '', now(), null, null);

select
    throws_ok(
        format('select coins.purge_stale(%s)', bad.arguments), '22023', bad.message, bad.description
    )
from (
    values
    ('-1', 'max_age_days must be between 0 and 36500', 'a person can''t purge what is yet to come'),
    ('36501', 'max_age_days must be between 0 and 36500', 'an age of more than 100 years is a mistake'),
    ('null', 'max_age_days must be between 0 and 36500', 'a purge of no age purges nothing'),
    ('30, 0', 'limit must be at least 1', 'a purge of at most 0 coins is a mistake'),
    ('30, -1', 'limit must be at least 1', 'a purge of fewer than none is a mistake')
) as bad (arguments, message, description);
select is(
    (select count(*) from coins.coin_inventory), 7::bigint,
    'a refused purge removes nothing'
);

select is(
    coins.purge_stale(36500), 0::bigint,
    'a person may ask for an age of 100 years'
);
select is(
    coins.purge_stale(p_max_age_days => 30, p_limit => 1), 1::bigint,
    'a purge with a limit removes no more than that'
);
select is_empty(
    $$select key_id from coins.coin_inventory where key_id = '1000 days'$$,
    'and the oldest first'
);
select is(
    coins.purge_stale(), 2::bigint,
    'a purge without arguments removes all unclaimed coins older than 30 days'
);
select results_eq(
    'select key_id::text from coins.coin_inventory order by uploaded_at',
    array['1000 days, claimed', '30 days', '1 day', 'now'],
    'a claimed coin and one of exactly 30 days stay'
);
select is(
    coins.purge_stale(), 0::bigint,
    'a purge that is repeated finds nothing'
);
select is(
    coins.purge_stale(1, null), 1::bigint,
    'a person may name another age'
);
select is(
    coins.purge_stale(0), 1::bigint,
    'an age of no days means all but the newest'
);
select results_eq(
    'select key_id::text from coins.coin_inventory order by uploaded_at',
    array['1000 days, claimed', 'now'],
    'claimed coins are never purged as stale'
);

set local role aqm_admin;
select lives_ok('select coins.purge_stale()', 'an administrator may purge');
set local role aqm_jobs;
select lives_ok('select coins.purge_stale(30, 5000)', 'the scheduler may purge');
set local role aqm_device;
select throws_ok(
    'select coins.purge_stale()',
    '42501', 'permission denied for function purge_stale',
    'a device can''t purge'
);

select * from finish();
rollback;
