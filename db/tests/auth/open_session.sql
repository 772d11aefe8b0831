begin;
select plan(13);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:bob);
select
    t.session_id as session,
    t.refresh_token as token
from auth.open_session(:bob, 'user', null, 'browser', 'a fingerprint') as t
\gset
select matches(:'token'::text, '^[A-Za-z0-9_-]{64}$', 'a person gets a refresh token that goes into any header');
select results_eq(
    'select user_id, role, subject, device_type, device_name, browser_fingerprint, created_at, last_active, is_active
    from auth.sessions',
    format(
        $$values
        (%1$L::uuid, 'user', %1$L::uuid, 'browser', null::text, 'a fingerprint', now(), now(), true)$$, :bob
    ),
    'what the client told is kept'
);
select results_eq(
    'select access_token_exp - now(), expires_at - now() from auth.sessions',
    $$values (interval '15 minutes', interval '30 days')$$,
    'the access token is good for 15 minutes, the session for 30 days'
);
select is_empty(
    format(
        $$select 1 from auth.sessions as s, decode(translate(%L, '-_', '+/'), 'base64') as token
        where position(encode(substr(token, 1, 16), 'hex') in s::text) + position(encode(substr(token, 17), 'hex') in s::text)
            + position(%1$L in s::text) > 0$$,
        :'token'
    ),
    'no part of the refresh token is stored'
);
select results_eq(
    'select action, user_id, session_id, detail from auth.audit_logs',
    format($$values ('session.opened', %L::uuid, %L::uuid, '{"role": "user"}'::jsonb)$$, :bob, :'session'),
    'a login leaves a trace'
);

select t.refresh_token as other
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
select isnt(left(:'other', 21), left(:'token', 21), 'two sessions have nothing in common');
select
    t.subject as phone,
    t.access_token ->> 'sub' as sub
from auth.open_session(:bob, 'device', 'phone', null, null) as t
\gset
select is(:'phone'::uuid, auth.device_id(:bob, 'phone'), 'a device''s token is for its key store');
select is(:'sub'::text, :'phone'::text, 'and says so');
select is(
    (select t.subject from auth.open_session(:bob, 'device', 'phone', null, null) as t), :'phone'::uuid,
    'a device that logs in again has the same one'
);
select is(
    (select t.subject from auth.open_session(:bob, 'admin', null, null, null) as t), :bob::uuid,
    'an administrator''s token is for the person'
);
select throws_ok(
    $$select auth.open_session(gen_random_uuid(), 'user', null, null, null)$$, '23503', null,
    'nobody has no session'
);

update auth.sessions as s
set last_active = now() - interval '1 minute'
where s.id <> :'session';
update auth.sessions as s
set last_active = now() - interval '1 day'
where s.id = :'session';
do $$ begin
    for n in 1..48 loop
        perform auth.open_session('b0b00000-0000-4000-8000-000000000000', 'user', null, null, null);
    end loop;
end $$;
select is(
    (
        select count(*) from auth.sessions as s
        where s.is_active
    ), 50::bigint, 'a person has 50 sessions at most'
);
select is(
    (
        select s.is_active from auth.sessions as s
        where s.id = :'session'
    ), false,
    'beyond that the one that was idle for longest ends'
);

select * from finish();
rollback;
