begin;
select plan(14);

\set nobody '''b0b00000-0000-4000-8000-000000000000'''
do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s', repeat('e1', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s', repeat('11', 32)), true);
end $$;
create temporary table alice as
select id from auth.create_user('alice@example.org', 'correct horse');
grant select on alice to aqm_user, aqm_admin;

select throws_ok(
    format('select auth.request_email_check(%L)', :nobody), 'PT404', 'there is no such account',
    'nobody gets an email'
);
select throws_ok('select auth.request_email_check(null)', 'PT404', 'there is no such account', 'nor does null');
set local role aqm_user;
select lives_ok('select auth.request_email_check(id) from alice', 'a person may have an address checked');
set local role aqm_worker;
select results_eq(
    $$select email, template, template_data, secret ~ '^[A-Za-z0-9_-]{43}$' from auth.claim_email_events()$$,
    $$values ('alice@example.org', 'email_check', '{}'::jsonb, true)$$, 'an email with a token goes there'
);
set local role aqm_admin;
select lives_ok('select auth.request_email_check(id) from alice', 'an administrator may ask for it, too');
reset role;
select results_eq(
    'select purpose, expires_at - now() from auth.one_time_tokens',
    $$values ('email_check', interval '1 day'), ('email_check', '1 day')$$, 'the token is good for a day'
);
select results_eq(
    $$select user_id from auth.audit_logs where action = 'email.check_requested'$$,
    'select id from alice union all select id from alice', 'the audit knows'
);
update auth.one_time_tokens set expires_at = now() + interval '90 seconds'
where ctid = (select max(ott.ctid) from auth.one_time_tokens as ott);
select lives_ok('select auth.request_email_check(id) from alice', 'three emails may be under way');
select throws_ok(
    'select auth.request_email_check(id) from alice', 'PT429', 'three emails are under way: look for them',
    'and no more'
);
create function pg_temp.detail()
returns text
language plpgsql
as $$
declare
    v_detail text;
begin
    perform auth.request_email_check(a.id) from alice as a;
    return null;
exception
    when sqlstate 'PT429' then
        get stacked diagnostics v_detail = pg_exception_detail;
        return v_detail;
end
$$;
select is(pg_temp.detail(), 'Retry-After: 90', 'until one has expired');

update auth.users set email_verified_at = now();
select lives_ok('select auth.request_email_check(id) from alice', 'an address that is verified is not checked again');
select is(
    (
        select count(*)
        from auth.email_events
    ), 3::bigint, 'and gets no email'
);
update auth.users set deleted_at = now();
select throws_ok(
    'select auth.request_email_check(id) from alice', 'PT404', 'there is no such account',
    'a deleted account has no address'
);
set local role aqm_anon;
select throws_ok(
    format('select auth.request_email_check(%L)', :nobody), '42501',
    'permission denied for function request_email_check', 'who is not logged in can''t have emails sent'
);

select * from finish();
rollback;
