begin;
select plan(12);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set eve '''e5e00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:bob), (:eve);
select
    t.session_id as phone,
    t.refresh_token as token
from auth.open_session(:bob, 'device', 'phone', null, null) as t
\gset
select t.session_id as browser
from auth.open_session(:bob, 'user', null, null, null) as t
\gset

set local role aqm_user;
select throws_ok(
    format('select auth.revoke_session(%L, %L)', :'phone', :eve), 'PT404', 'there is no such session',
    'nobody ends another''s session, nor learns that there is one'
);
select lives_ok(format('select auth.revoke_session(%L, %L)', :'phone', :bob), 'a person ends a session of theirs');
reset role;
select is_empty(format('select auth.refresh(%L)', :'token'), 'the lost phone gets no more tokens');
select set_eq(
    'select session_id from gateway.list_revocations()', array[:'phone'::uuid], 'and those that it has are refused'
);
select results_eq(
    format('select id from auth.list_sessions(%L)', :bob), array[:'browser'::uuid], 'other sessions go on'
);
select results_eq(
    $$select user_id, session_id from auth.audit_logs where action = 'session.ended'$$,
    format('values (%L::uuid, %L::uuid)', :bob, :'phone'),
    'it leaves a trace'
);
select throws_ok(format('select auth.revoke_session(%s)', bad.arguments), 'PT404', null, bad.description)
from (
    values
    (format('%L, %L', :'phone', :bob), 'a session ends once'),
    (format('gen_random_uuid(), %L', :bob), 'an unknown one is none'),
    (format('null, %L', :bob), 'nor is no one'),
    (format('%L, null', :'browser'), 'a session is somebody''s')
) as bad (arguments, description);
set local role aqm_device;
select throws_ok(
    format('select auth.revoke_session(%L, %L)', :'browser', :bob), '42501',
    'permission denied for function revoke_session',
    'a device ends no session but its own'
);
set local role aqm_admin;
select lives_ok(
    format('select auth.revoke_session(%L, %L)', :'browser', :bob), 'an administrator may end anyone''s'
);

select * from finish();
rollback;
