begin;
select plan(12);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

insert into coins.quota_use (target_user_id, requester_id, full_at)
select
    :bob as target_user_id,
    gen_random_uuid() as requester_id,
    now() - number * interval '1 minute' as full_at
from generate_series(1, 5) as number;
insert into coins.quota_use (target_user_id, requester_id, full_at)
values
(:bob, null, now() - interval '1 microsecond'),
(:alice, :bob, now()),
(:alice, null, now() + interval '1 microsecond'),
(:bob, :alice, now() + interval '1 day');

select throws_ok('select coins.purge_quota_use(0)', '22023', 'limit must be at least 1', 'to purge none is a mistake');
select throws_ok('select coins.purge_quota_use(-1)', '22023', 'limit must be at least 1', 'and so is fewer');
select is(
    (
        select count(*)
        from coins.quota_use
    ), 9::bigint,
    'a refused purge forgets nothing'
);
select is(coins.purge_quota_use(2), 2::bigint, 'a purge with a limit forgets no more than that');
select is(
    (
        select count(*)
        from coins.quota_use
    ), 7::bigint,
    'and says how many'
);
select is(coins.purge_quota_use(), 4::bigint, 'a purge without a limit forgets all quotas that are full again');
select results_eq(
    'select target_user_id, requester_id, full_at - now() from coins.quota_use order by full_at',
    format(
        $$values
        (%L::uuid, %L::uuid, interval '0'), (%1$L, null, interval '1 microsecond'), (%2$L, %1$L, interval '1 day')$$,
        :alice, :bob
    ),
    'a quota that is in part used up is remembered, so that nobody gains by a purge'
);
select is(coins.purge_quota_use(null), 0::bigint, 'a purge that is repeated finds nothing');

update coins.claim_quota
set is_enabled = true;
select results_eq(
    format('select allowance, retry_after from coins.open_quota(%L, gen_random_uuid())', :bob),
    'values (1000, 0)',
    'whoever was forgotten has the whole quota, as before'
);
set local role aqm_jobs;
select lives_ok('select coins.purge_quota_use(50000)', 'the scheduler may purge');
set local role aqm_admin;
select throws_ok(
    'select coins.purge_quota_use()', '42501', 'permission denied for function purge_quota_use',
    'an administrator has no part in it'
);
set local role aqm_device;
select throws_ok(
    'select coins.purge_quota_use()', '42501', 'permission denied for function purge_quota_use',
    'a device can''t purge quotas'
);

select * from finish();
rollback;
