begin;
select plan(18);

do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s', repeat('e1', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s', repeat('11', 32)), true);
end $$;
create temporary table people as
select
    person.id,
    person.email
from (values ('alice@example.org'), ('bob@example.org')) as people (email)
cross join auth.create_user(people.email, 'correct horse') as person;
do $$ begin
    perform auth.login(p.email, 'correct horse') from people as p;
    perform auth.request_password_reset(p.email), auth.request_password_reset(p.email) from people as p;
end $$;
create temporary table tokens as
select
    email,
    min(secret) as token,
    max(secret) as other
from auth.claim_email_events()
group by email;
grant select on tokens to aqm_anon;
create function pg_temp.status()
returns text
language sql
return nullif(left(current_setting('response.status', true), 3), '');

set local role aqm_anon;
select throws_ok(
    $$select auth.reset_password(token, 'short') from tokens where email = 'alice@example.org'$$, '22023',
    'password must have between 8 and 1000 characters', 'a password that is too short is refused'
);
select throws_ok(
    $$select auth.reset_password(token, null) from tokens where email = 'alice@example.org'$$, '22023',
    'password must have between 8 and 1000 characters', 'and none'
);
select is(pg_temp.status(), null, 'that is no fault of the token');
select results_eq(
    $$select auth.reset_password(token, 'battery staple') from tokens where email = 'alice@example.org'$$,
    'values (true)', 'with which a good one may be set'
);
select is(pg_temp.status(), null, 'over HTTP that is 200');
reset role;
select is(
    (
        select count(*)
        from auth.login('alice@example.org', 'battery staple')
    ), 1::bigint, 'the person logs in with the new password'
);
select is_empty($$select * from auth.login('alice@example.org', 'correct horse')$$, 'and not with the old one');
do $$ begin
    perform set_config('response.status', '', true);
end $$;
select results_eq(
    $$select p.email, s.is_active from auth.sessions as s inner join people as p on p.id = s.user_id
    order by p.email, s.created_at, s.is_active$$,
    $$values ('alice@example.org', false), ('alice@example.org', true), ('bob@example.org', true)$$,
    'sessions from before are over, those of others are not'
);

set local role aqm_anon;
select results_eq(
    $$select auth.reset_password(token, 'correct horse') from tokens where email = 'alice@example.org'$$,
    'values (false)', 'a token is good once'
);
select is(pg_temp.status(), '401', 'which over HTTP is 401');
select results_eq(
    $$select auth.reset_password(other, 'correct horse') from tokens where email = 'alice@example.org'$$,
    'values (false)', 'and makes the others void'
);
select results_eq(
    $$select auth.reset_password('no token', 'correct horse')$$, 'values (false)', 'what is none is good for nothing'
);
select results_eq(
    'select auth.reset_password(null, null)', 'values (false)', 'nor is nothing'
);
reset role;
select is(
    (
        select count(*)
        from auth.audit_logs as al
        where al.action = 'password.reset_refused'
    ), 0::bigint, 'guesses leave nothing that would fill the audit'
);
select is(
    (
        select count(*)
        from auth.audit_logs as al
        where al.action = 'password.reset' and al.user_id = (
            select p.id from people as p
            where p.email ~ 'alice'
        )
    ), 1::bigint, 'and so does the new password'
);

do $$ begin
    perform auth.change_email(p.id, 'robert@example.org') from people as p where p.email = 'bob@example.org';
end $$;
select results_eq(
    $$select auth.reset_password(token, 'battery staple') from tokens where email = 'bob@example.org'$$,
    'values (false)', 'a token that was sent to an old address is void'
);
select
    throws_ok(
        format('set local role %s; select auth.reset_password(''x'', ''y'')', other.role), '42501',
        'permission denied for function reset_password', format('%s may not', other.role)
    )
from (values ('aqm_device'), ('aqm_jobs')) as other (role);

select * from finish();
rollback;
