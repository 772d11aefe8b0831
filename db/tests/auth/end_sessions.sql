begin;
select plan(10);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set eve '''e5e00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:bob), (:eve);
select t.session_id as browser
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
select t.session_id as phone
from auth.open_session(:bob, 'device', 'phone', null, null) as t
\gset
select t.session_id as office
from auth.open_session(:bob, 'admin', null, null, null) as t
\gset
select t.session_id as eves
from auth.open_session(:eve, 'admin', null, null, null) as t
\gset

select is(auth.end_sessions(:bob, p_role => 'admin'), 1::bigint, 'one who is no administrator any more is out as one');
select set_eq(
    format('select id from auth.list_sessions(%L)', :bob), array[:'browser', :'phone']::uuid[],
    'and stays logged in as a person'
);
select is(auth.end_sessions(:bob, p_but => :'browser'), 1::bigint, 'all sessions but one may be ended');
select results_eq(
    format('select id from auth.list_sessions(%L)', :bob), array[:'browser'::uuid], 'which goes on'
);
select is(auth.end_sessions(:bob), 1::bigint, 'or all');
select is(auth.end_sessions(:bob), 0::bigint, 'which are ended once');
select is(auth.end_sessions(null), 0::bigint, 'nobody has none');
select is((select count(*) from auth.list_sessions(:eve)), 1::bigint, 'another person''s are not touched');
select set_eq(
    'select session_id from gateway.list_revocations()', array[:'browser', :'phone', :'office']::uuid[],
    'gateways refuse the tokens of all that ended'
);
select is(
    (
        select count(*)
        from auth.audit_logs as al
        where al.action = 'session.ended' and al.user_id = :bob
    ), 3::bigint, 'and each leaves a trace'
);

select * from finish();
rollback;
