begin;
select plan(9);

insert into auth.users (id) values ('a11ce000-0000-4000-8000-000000000000');
insert into auth.one_time_tokens (token_hash, user_id, purpose, expires_at, used_at)
select
    sha256(int4send(number)) as token_hash,
    'a11ce000-0000-4000-8000-000000000000' as user_id,
    'email_check' as purpose,
    now() - number * interval '1 second' as expires_at,
    case when number % 2 = 0 then now() end as used_at
from generate_series(-1, 6) as number;

select throws_ok(
    'select auth.purge_one_time_tokens(0)', '22023', 'limit must be at least 1', 'to purge none is a mistake'
);
select throws_ok('select auth.purge_one_time_tokens(-1)', '22023', 'limit must be at least 1', 'and so is fewer');
select is(auth.purge_one_time_tokens(2), 2::bigint, 'a purge with a limit forgets no more, and says how many');
select is(auth.purge_one_time_tokens(), 4::bigint, 'a purge without a limit forgets all that are over');
select results_eq(
    'select expires_at - now() from auth.one_time_tokens order by 1', $$values (interval '0'), ('1 second')$$,
    'what has not expired stays'
);
select is(auth.purge_one_time_tokens(null), 0::bigint, 'a purge that is repeated finds nothing');
set local role aqm_jobs;
select lives_ok('select auth.purge_one_time_tokens(1000)', 'the scheduler may purge');
set local role aqm_admin;
select throws_ok(
    'select auth.purge_one_time_tokens()', '42501', 'permission denied for function purge_one_time_tokens',
    'an administrator has no part in it'
);
set local role aqm_user;
select throws_ok(
    'select auth.purge_one_time_tokens()', '42501', 'permission denied for function purge_one_time_tokens',
    'nor has anybody else over HTTP'
);

select * from finish();
rollback;
