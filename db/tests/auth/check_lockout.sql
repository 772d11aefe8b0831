begin;
select plan(8);

create function pg_temp.refusal(out name text, out detail text)
language plpgsql
as $$
begin
    perform auth.check_lockout(array['bob'::bytea]);
exception
    when sqlstate 'PT429' then
        get stacked diagnostics name = constraint_name, detail = pg_exception_detail;
end
$$;

select lives_ok($$select auth.check_lockout(array['bob'::bytea])$$, 'who was not refused may log in');
insert into auth.login_attempts (email_hash, address, is_success, created_at)
select
    'bob' as email_hash,
    '192.0.2.1' as address,
    false as is_success,
    now() - interval '10.5 seconds' as created_at
from generate_series(1, 5);
select throws_ok(
    $$select auth.check_lockout(array['bob'::bytea])$$, 'PT429', 'too many refused logins: try again later',
    'after too many refusals the account is locked'
);
select results_eq(
    'select * from pg_temp.refusal()', $$values ('lockout', 'Retry-After: 20')$$,
    'the client is told by name, and how many whole seconds to wait'
);
select lives_ok($$select auth.check_lockout(array['eve'::bytea])$$, 'others are not locked');
update auth.login_attempts
set created_at = now() - interval '30 seconds';
select lives_ok($$select auth.check_lockout(array['bob'::bytea])$$, 'nor is the account when the time is over');

insert into auth.login_attempts (email_hash, address, is_success)
select
    sha256(n::text::bytea) as email_hash,
    '192.0.2.1' as address,
    false as is_success
from generate_series(1, 45) as n;
select lives_ok($$select auth.check_lockout(array['eve'::bytea])$$, 'who comes from elsewhere is not locked');
set local "request.address" = '192.0.2.1';
select throws_ok(
    $$select auth.check_lockout(array['eve'::bytea])$$, 'PT429', 'too many refused logins: try again later',
    'an address is locked for all accounts'
);
select throws_ok(
    $$select auth.check_lockout('{}')$$, 'PT429', null,
    'even for those that can''t exist'
);

select * from finish();
rollback;
