begin;
select plan(18);

do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s', repeat('e1', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s', repeat('11', 32)), true);
end $$;
create temporary table alice as
select id from auth.create_user('alice@example.org', 'correct horse');

select
    throws_ok(
        format('select auth.request_password_reset(%L)', bad.email), '22023', 'email must be an email address',
        bad.description
    )
from (values ('alice', 'what is no address is refused'), (null, 'and so is none')) as bad (email, description);

set local role aqm_anon;
select lives_ok($$select auth.request_password_reset(' Alice@Example.org ')$$, 'anybody may ask');
reset role;
select results_eq(
    'select purpose, expires_at - now() from auth.one_time_tokens where user_id = (select id from alice)',
    $$values ('password_reset', interval '1 hour')$$, 'a token is made, good for an hour'
);
set local role aqm_worker;
select results_eq(
    $$select email, template, template_data, secret ~ '^[A-Za-z0-9_-]{43}$' from auth.claim_email_events()$$,
    $$values ('alice@example.org', 'password_reset', '{}'::jsonb, true)$$, 'and sent to the person alone'
);
reset role;
set local role aqm_anon;
select lives_ok($$select auth.request_password_reset('nobody@example.org')$$, 'an unknown one gets the same answer');
reset role;
select is(
    (
        select count(*)
        from auth.one_time_tokens
    ), 1::bigint, 'but no token'
);
select is(
    (
        select count(*)
        from auth.email_events
    ), 1::bigint, 'and no email'
);
select results_eq(
    $$select user_id, detail from auth.audit_logs where action = 'password.reset_requested' order by id$$,
    $$select id, '{}'::jsonb from alice union all select null, '{}'$$, 'the audit has both'
);

do $$ begin
    perform auth.request_password_reset('alice@example.org') from generate_series(1, 4);
end $$;
select is(
    (
        select count(*)
        from auth.one_time_tokens
    ), 3::bigint, 'three tokens are open at most'
);
select is(
    (
        select count(*)
        from auth.email_events
    ), 3::bigint, 'nobody''s mailbox is flooded'
);
select lives_ok($$select auth.request_password_reset('alice@example.org')$$, 'who asks once more is not told so');

create function pg_temp.seconds(p_email text)
returns numeric
language plpgsql
as $$
declare
    v_begin constant timestamptz := clock_timestamp();
begin
    perform auth.request_password_reset(p_email);
    return extract(epoch from clock_timestamp() - v_begin);
end
$$;
create temporary table took as
select
    asked.email,
    pg_temp.seconds(asked.email) as seconds
from (values ('alice@example.org'), ('nobody@example.org')) as asked (email);
select ok(took.seconds between 0.05 and 1, format('the answer about %s takes its time', took.email))
from took;

delete from auth.one_time_tokens;
update auth.users set email_assigned_at = now() - interval '23 hours 59 minutes';
select auth.request_password_reset('alice@example.org') as asked;
select is_empty(
    'select 1 from auth.one_time_tokens', 'for a day after somebody else changed the address there are none'
);
update auth.users set email_assigned_at = now() - interval '24 hours';
select auth.request_password_reset('alice@example.org') as asked;
select isnt_empty('select 1 from auth.one_time_tokens', 'and then there are again');
update auth.users set is_active = false;
delete from auth.one_time_tokens;
select auth.request_password_reset('alice@example.org') as asked;
select is_empty('select 1 from auth.one_time_tokens', 'a closed account is not opened by an email');
do $$ begin
    perform set_config('aqm.index_keys', '', true);
end $$;
select throws_ok(
    $$select auth.request_password_reset('nobody@example.org')$$, 'PT503', 'the index keys are missing',
    'the data keys are needed'
);

select * from finish();
rollback;
