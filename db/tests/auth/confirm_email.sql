begin;
select plan(12);

do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s', repeat('e1', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s', repeat('11', 32)), true);
end $$;
create temporary table alice as
select id from auth.create_user('alice@example.org', 'correct horse');
do $$ begin
    perform auth.request_email_check(a.id), auth.request_email_check(a.id), auth.request_password_reset('alice@example.org')
    from alice as a;
end $$;
create temporary table tokens as
select
    template,
    min(secret) as token,
    max(secret) as other
from auth.claim_email_events()
group by template;
grant select on tokens to aqm_anon;
create function pg_temp.status()
returns text
language sql
return nullif(left(current_setting('response.status', true), 3), '');

set local role aqm_anon;
select results_eq(
    $$select auth.confirm_email(token) from tokens where template = 'email_check'$$, 'values (true)',
    'the token of the email proves that it arrived'
);
select is(pg_temp.status(), null, 'over HTTP that is 200');
reset role;
select is(
    (
        select u.email_verified_at
        from auth.users as u
    ), now(), 'and the account says so'
);
set local role aqm_anon;
select results_eq(
    $$select auth.confirm_email(token) from tokens where template = 'email_check'$$, 'values (false)',
    'a token is good once'
);
select is(pg_temp.status(), '401', 'which over HTTP is 401');
select results_eq(
    $$select auth.confirm_email(token) from tokens where template = 'password_reset'$$, 'values (false)',
    'one for a new password proves nothing'
);
select results_eq($$select auth.confirm_email('no token')$$, 'values (false)', 'nor does none');
select results_eq('select auth.confirm_email(null)', 'values (false)', 'nor null');
reset role;
select results_eq(
    $$select action, count(*) from auth.audit_logs where action in ('email.verified', 'email.check_refused')
    group by action$$,
    $$values ('email.verified', 1::bigint)$$, 'the audit has it; guesses leave nothing that would fill it'
);
do $$ begin
    perform auth.change_email(a.id, 'victim@example.org') from alice as a;
end $$;
select results_eq(
    $$select auth.confirm_email(other) from tokens where template = 'email_check'$$, 'values (false)',
    'what was sent to one address does not prove another'
);
select is(
    (
        select u.email_verified_at
        from auth.users as u
    ), null, 'which has yet to prove itself'
);
set local role aqm_device;
select throws_ok(
    $$select auth.confirm_email('x')$$, '42501', 'permission denied for function confirm_email',
    'a device has no emails'
);

select * from finish();
rollback;
