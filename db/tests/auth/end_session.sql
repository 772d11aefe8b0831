begin;
select plan(7);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:bob);
select
    t.session_id as session,
    t.refresh_token as token
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
select t.session_id as other
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
do $$ begin perform t.* from auth.sessions as s, auth.rotate_token(s, 'x') as t; end $$;

select lives_ok(
    format('select auth.end_session(s) from auth.sessions as s where s.id = %L', :'session'), 'a session is ended'
);
select is_empty(format('select auth.refresh(%L)', :'token'), 'its refresh token is good for nothing');
select results_eq(
    'select session_id, issued_until > now(), expires_at > now() + $$15 minutes$$ from gateway.list_revocations()',
    format('values (%L::uuid, true, true)', :'session'),
    'gateways refuse its access tokens for as long as they would be good'
);
select results_eq(
    'select id, successor_encrypted is null, deleted_at > now() and deleted_at <= clock_timestamp()
    from auth.sessions where not is_active',
    format('values (%L::uuid, true, true)', :'session'),
    'when it ended is known, and nothing is kept to go on with; other sessions go on'
);
select results_eq(
    $$select user_id, session_id from auth.audit_logs where action = 'session.ended'$$,
    format('values (%L::uuid, %L::uuid)', :bob, :'session'),
    'it leaves a trace'
);

update auth.sessions
set access_token_exp = now() - interval '1 day'
where id = :'other';
select lives_ok(
    format('select auth.end_session(s) from auth.sessions as s where s.id = %L', :'other'),
    'a session that was not used for long is ended as well'
);
select set_eq(
    'select session_id from gateway.list_revocations()', array[:'session'::uuid],
    'but its access tokens have expired, and gateways need not know of it'
);

select * from finish();
rollback;
