begin;
select plan(5);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set eve '''e5e00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:bob), (:eve);
select
    t.session_id as one,
    t.refresh_token as token,
    t.access_token ->> 'iat' as iat
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
select t.session_id as two
from auth.open_session(:bob, 'device', 'phone', null, null) as t
\gset
select t.session_id as ended
from auth.open_session(:bob, 'device', 'tablet', null, null) as t
\gset
select t.session_id as expired
from auth.open_session(:bob, 'device', 'laptop', null, null) as t
\gset
select t.session_id as eves
from auth.open_session(:eve, 'user', null, null, null) as t
\gset
update auth.sessions
set
    is_active = false,
    deleted_at = now()
where id = :'ended';
update auth.sessions
set access_token_exp = now() - interval '1 hour'
where id = :'expired';

select lives_ok(format('select auth.void_tokens(%L)', :bob), 'a person''s tokens are voided');
select set_eq(
    'select session_id from gateway.list_revocations()', array[:'one', :'two']::uuid[],
    'gateways refuse those that would still be good, and nobody else''s'
);
select cmp_ok(
    (
        select extract(epoch from r.issued_until)
        from gateway.list_revocations() as r
        where r.session_id = :'one'
    ), '>=', :'iat'::numeric, 'all that were given until now'
);
select is((select count(*) from auth.list_sessions(:bob)), 3::bigint, 'the sessions go on');
select is(
    (
        select (t.access_token ->> 'iat')::numeric > extract(epoch from r.issued_until)
        from auth.refresh(:'token') as t
        inner join gateway.list_revocations() as r on t.session_id = r.session_id
    ), true,
    'and a refresh gives a token that is good'
);

select * from finish();
rollback;
