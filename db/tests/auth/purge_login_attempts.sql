begin;
select plan(9);

insert into auth.login_attempts (email_hash, is_success, created_at)
select
    sha256('') as email_hash,
    number % 2 = 0 as is_success,
    now() - interval '30 days' - number * interval '1 second' as created_at
from generate_series(1, 6) as number;
insert into auth.login_attempts (email_hash, is_success, created_at)
values (sha256(''), false, now() - interval '30 days'), (sha256(''), true, now());

select throws_ok(
    'select auth.purge_login_attempts(0)', '22023', 'limit must be at least 1', 'to purge none is a mistake'
);
select throws_ok('select auth.purge_login_attempts(-1)', '22023', 'limit must be at least 1', 'and so is fewer');
select is(auth.purge_login_attempts(2), 2::bigint, 'a purge with a limit forgets no more than that, and says how many');
select is(auth.purge_login_attempts(), 4::bigint, 'a purge without a limit forgets all that are over');
select results_eq(
    'select now() - created_at from auth.login_attempts order by 1', $$values (interval '0'), ('30 days')$$,
    'what is younger than 30 days stays'
);
select is(auth.purge_login_attempts(null), 0::bigint, 'a purge that is repeated finds nothing');
set local role aqm_jobs;
select lives_ok('select auth.purge_login_attempts(1000)', 'the scheduler may purge');
set local role aqm_admin;
select throws_ok(
    'select auth.purge_login_attempts()', '42501', 'permission denied for function purge_login_attempts',
    'an administrator has no part in it'
);
set local role aqm_user;
select throws_ok(
    'select auth.purge_login_attempts()', '42501', 'permission denied for function purge_login_attempts',
    'nor has anybody else over HTTP'
);

select * from finish();
rollback;
