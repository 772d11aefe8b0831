begin;
select plan(27);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:bob);

-- What a client gets for a token: the next one, or the status that it is refused with.
create function pg_temp.exchange(p_token text)
returns text
language plpgsql
as $$
begin
    perform set_config('response.status', '', true);
    return coalesce((select t.refresh_token from auth.refresh(p_token) as t), left(current_setting('response.status'), 3));
end
$$;
create view pg_temp.trace as
select al.action from auth.audit_logs as al
where al.action <> 'session.opened'
order by al.id;

select
    t.session_id as session,
    t.refresh_token as first
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
select pg_temp.exchange(:'first') as second
\gset
select matches(:'second'::text, '^[A-Za-z0-9_-]{64}$', 'whoever has the newest token gets the next');
select isnt(:'second'::text, :'first'::text, 'which is another');
select is(pg_temp.exchange(:'first'), :'second', 'whose answer was lost may ask again, and gets the same');
select is(pg_temp.exchange(:'first'), :'second', 'as often as it takes');
update auth.sessions
set rotated_at = clock_timestamp() - interval '9 seconds';
select is(pg_temp.exchange(:'first'), :'second', 'for nearly ten seconds');
select is_empty('select * from pg_temp.trace', 'and nobody is suspected');
select is(
    (select t.access_token ->> 'sid' from auth.refresh(:'second') as t), :'session',
    'the next token is good as well, and stays in the session'
);
select is(pg_temp.exchange(:'first'), '401', 'but then the first is not, however soon');
select results_eq(
    'select * from pg_temp.trace', $$values ('session.token_reused'), ('session.ended')$$,
    'a token that was used twice leaves a trace'
);
select is(pg_temp.exchange(:'second'), '401', 'its session has ended, for thief and victim alike');
select is_empty(format('select auth.list_sessions(%L)', :bob), 'and is not listed');
select set_eq(
    'select session_id from gateway.list_revocations()', array[:'session'::uuid],
    'its access tokens are refused by gateways'
);
select is((select count(*) from pg_temp.trace), 2::bigint, 'knocking on goes unremarked');

select t.refresh_token as first
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
select pg_temp.exchange(:'first') as second
\gset
update auth.sessions
set rotated_at = clock_timestamp() - interval '10 seconds';
select is(pg_temp.exchange(:'first'), '401', 'after ten seconds nobody''s answer was lost: the token was stolen');
select is(pg_temp.exchange(:'second'), '401', 'and the session has ended');

select t.refresh_token as forged
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
select is(
    pg_temp.exchange(left(:'forged', 24) || repeat('A', 40)), '401',
    'a token of a known beginning and an unknown end is refused'
);
select is(pg_temp.exchange(:'forged'), '401', 'and ends the session: only who had a token knows its beginning');

select is(pg_temp.exchange(bad.token), '401', bad.description)
from (
    values
    (null, 'no token is good for nothing'),
    ('', 'nor is an empty one'),
    (repeat('A', 64), 'nor one that nobody was given'),
    (repeat('A', 63), 'nor one cut short'),
    (repeat('A', 63) || '=', 'nor one in other letters')
) as bad (token, description);

select t.refresh_token as good
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
update auth.sessions
set expires_at = now() - interval '1 second';
select is(pg_temp.exchange(:'good'), '401', 'after 30 days without a refresh the session is over');
update auth.sessions
set expires_at = now() + interval '1 day';
update auth.users
set is_active = false;
select is(pg_temp.exchange(:'good'), '401', 'who was locked out gets no more tokens');
update auth.users
set
    is_active = true,
    deleted_at = now();
select is(pg_temp.exchange(:'good'), '401', 'nor who was deleted');
update auth.users
set deleted_at = null;
insert into auth.user_roles (user_id, product_domain, role) values (:bob, 'escrow', 'seller');
set local role aqm_anon;
select is(
    (select t.access_token -> 'roles' from auth.refresh(:'good') as t), '{"escrow": ["seller"]}',
    'who was given a role meanwhile has it in the next token'
);
set local role aqm_device;
select throws_ok(
    $$select auth.refresh('')$$, '42501', 'permission denied for function refresh',
    'an access token is no use for a refresh'
);

select * from finish();
rollback;
