begin;
select plan(20);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set eve '''e5e00000-0000-4000-8000-000000000000'''
do $$ begin
    perform set_config('aqm.encryption_keys', '1:' || repeat('e1', 32), true);
    perform set_config('aqm.index_keys', '1:' || repeat('11', 32), true);
end $$;
insert into auth.users (id, email_hash, username) values (:bob, 'bob@example.com-----------------', 'bob');
insert into auth.users (id) values (:eve);
select auth.admit_device(:bob, 'phone') as phone;
do $$ begin
    perform auth.queue_email('b0b00000-0000-4000-8000-000000000000', 'email_check', p_secret => 'token');
    perform auth.queue_email('b0b00000-0000-4000-8000-000000000000', 'email_changed', p_email => 'bob@example.org');
end $$;
insert into auth.one_time_tokens (token_hash, user_id, purpose, expires_at)
values (sha256('token'), :bob, 'email_check', now() + interval '1 day');
select
    t.session_id as bobs,
    t.refresh_token as bobs_token
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
select t.session_id as eves
from auth.open_session(:eve, 'user', null, null, null) as t
\gset

select lives_ok(format('select auth.delete_user(%L)', :bob), 'an account may be deleted');
select is_empty(format('select auth.find_user(%L)', :bob), 'after that it is not seen');
select is_empty('select id from auth.users where is_active and email_hash is not null', 'and nobody may log in to it');
select is_empty(format('select auth.list_sessions(%L)', :bob), 'its sessions have ended');
select is_empty(format('select auth.refresh(%L)', :'bobs_token'), 'none can be refreshed');
select set_eq(
    'select session_id from gateway.list_revocations()', array[:'bobs'::uuid],
    'gateways refuse its tokens'
);
select is(
    (select count(*) from auth.list_sessions(:eve)), 1::bigint,
    'others stay logged in'
);
select results_eq(
    'select template, status::text from auth.email_events order by id',
    $$values ('email_check', 'failed'), ('email_changed', 'queued')$$,
    'nothing more is sent but what was told an address of before'
);
select is_empty('select 1 from auth.one_time_tokens', 'and what was sent opens nothing');
select is_empty(
    'select 1 from auth.user_devices where closed_at is distinct from now()', 'its coins will be discarded'
);
select lives_ok(
    $$insert into auth.users (email_hash, username) values ('bob@example.com-----------------', 'bob')$$,
    'its address and username are free for another'
);
select results_eq(
    $$select user_id, session_id from auth.audit_logs
    where action in ('user.deleted', 'session.ended') order by action$$,
    format('values (%1$L::uuid, %2$L::uuid), (%1$L, null)', :bob, :'bobs'),
    'it leaves a trace'
);
select throws_ok(format('select auth.delete_user(%L)', bad.id), 'PT404', 'there is no such account', bad.description)
from (
    values
    (:bob, 'an account is deleted once'),
    ('00000000-0000-4000-8000-000000000000', 'there is no deleting nobody'),
    (null, 'nor no one')
) as bad (id, description);
select
    throws_ok(
        format('set local role %s; select auth.delete_user(%L)', other.role, :eve), '42501',
        'permission denied for function delete_user', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_device'), ('aqm_user'), ('aqm_worker')) as other (role);
set local role aqm_admin;
select lives_ok(format('select auth.delete_user(%L)', :eve), 'an administrator may delete an account');

select * from finish();
rollback;
