begin;
select plan(8);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:bob);
select
    t.session_id as here,
    t.refresh_token as token
from auth.open_session(:bob, 'device', 'phone', null, null) as t
\gset
select t.session_id as elsewhere
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
select throws_ok(
    'select auth.logout()', 'PT404', 'this token belongs to no session',
    'in psql nobody is logged in'
);
select set_config('request.claims', jsonb_build_object('sub', :bob)::text, true) as claims
\gset
select throws_ok(
    'select auth.logout()', 'PT404', 'this token belongs to no session',
    'a token that was made without a login can''t be logged out'
);
select set_config('request.claims', jsonb_build_object('sub', :bob, 'sid', :'here')::text, true) as claims
\gset
set local role aqm_device;
select lives_ok('select auth.logout()', 'who is logged in may log out');
reset role;
select results_eq(
    format('select id from auth.list_sessions(%L)', :bob), array[:'elsewhere'::uuid],
    'where they are, and not elsewhere'
);
select set_eq(
    'select session_id from gateway.list_revocations()', array[:'here'::uuid], 'gateways refuse the token from then on'
);
select is_empty(format('select auth.refresh(%L)', :'token'), 'and there is no refresh');
select throws_ok('select auth.logout()', 'PT404', null, 'nobody logs out twice');
set local role aqm_anon;
select throws_ok(
    'select auth.logout()', '42501', 'permission denied for function logout', 'nor without a token'
);

select * from finish();
rollback;
