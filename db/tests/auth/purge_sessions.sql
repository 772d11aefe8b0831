begin;
select plan(13);

insert into auth.users (id) values ('a11ce000-0000-4000-8000-000000000000');
create function pg_temp.add(p_deleted_at timestamptz, p_expires_at timestamptz, p_device_name text)
returns void
language sql
begin atomic
    insert into auth.sessions (
        user_id, role, subject, family_hash, refresh_token_hash, access_token_exp, deleted_at, expires_at, device_name
    )
    values (
        'a11ce000-0000-4000-8000-000000000000', 'user', 'a11ce000-0000-4000-8000-000000000000',
        sha256(uuid_send(gen_random_uuid())), sha256(uuid_send(gen_random_uuid())), now(), p_deleted_at, p_expires_at,
        p_device_name
    );
end;
select pg_temp.add(now() - number * interval '31 days', now() + interval '1 day', 'ended') as added
from generate_series(1, 3) as number;
select pg_temp.add(null, now() - number * interval '31 days', 'expired') as added
from generate_series(1, 3) as number;
select pg_temp.add(null, now() + interval '1 day', 'open') as added;
select pg_temp.add(now() - interval '30 days', now() + interval '1 day', 'just ended') as added;
select pg_temp.add(null, now() - interval '30 days', 'just expired') as added;

select throws_ok(
    'select auth.purge_sessions(0)', '22023', 'limit must be at least 1', 'to purge none is a mistake'
);
select throws_ok('select auth.purge_sessions(-1)', '22023', 'limit must be at least 1', 'and so is fewer');
select is(auth.purge_sessions(2), 2::bigint, 'a purge with a limit forgets no more than that, and says how many');
select is(auth.purge_sessions(), 4::bigint, 'a purge without a limit forgets all that are over');
select results_eq(
    'select device_name from auth.sessions order by 1', $$values ('just ended'), ('just expired'), ('open')$$,
    'open ones stay, and those that are over for no longer than 30 days'
);
select
    throws_ok(
        format('select auth.purge_sessions(1, %s)', bad.days), '22023', 'keep_days must be between 1 and 36500',
        bad.description
    )
from (
    values
    ('0', 'a token that was used must be known for a day at least'),
    ('36501', 'more than 100 years are a mistake'),
    ('null', 'without a number nothing is forgotten')
) as bad (days, description);
select is(auth.purge_sessions(10, 29), 2::bigint, 'the time may be another');
select is(auth.purge_sessions(null), 0::bigint, 'a purge that is repeated finds nothing');
set local role aqm_jobs;
select lives_ok('select auth.purge_sessions(1000)', 'the scheduler may purge');
set local role aqm_admin;
select throws_ok(
    'select auth.purge_sessions()', '42501', 'permission denied for function purge_sessions',
    'an administrator has no part in it'
);
set local role aqm_user;
select throws_ok(
    'select auth.purge_sessions()', '42501', 'permission denied for function purge_sessions',
    'nor has anybody else over HTTP'
);

select * from finish();
rollback;
