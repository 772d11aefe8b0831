begin;
select plan(7);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set session '''5e551000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:bob);
insert into auth.sessions (
    id, user_id, role, subject, family_hash, refresh_token_hash, created_at, access_token_exp, expires_at
)
select
    :session as id,
    :bob as user_id,
    'user' as role,
    :bob as subject,
    sha256('f') as family_hash,
    sha256('t') as refresh_token_hash,
    '2031-01-01 00:00:00.25+00' as created_at,
    '2031-01-01 00:15:00.25+00' as access_token_exp,
    '2031-01-31 00:00:00+00' as expires_at;
-- The answer to a login, with a token of bytes that base64 writes with + and /.
create view pg_temp.answer as
select t.*
from auth.sessions as s, auth.make_tokens(s, decode(repeat('fbffbf', 16), 'hex')) as t;

select is(
    (select a.access_token::jsonb from pg_temp.answer as a),
    jsonb_build_object(
        'sub', :bob, 'role', 'user', 'sid', :session, 'iat', 1924992000.25, 'exp', 1924992901, 'roles', '{}'::jsonb
    ),
    'an access token says for whom it is, in which session, as what, since when and how long'
);
select is(
    (select a.refresh_token from pg_temp.answer as a), repeat('-_', 32),
    'a refresh token is written in letters that go into any address'
);
select results_eq(
    'select token_type, session_id, subject from pg_temp.answer',
    format($$values ('Bearer', %L::uuid, %L::uuid)$$, :session, :bob),
    'a client is told what it has'
);

update auth.sessions
set rotated_at = '2031-01-01 00:10:00+00';
select is(
    (select a.access_token -> 'iat' from pg_temp.answer as a), '1924992600',
    'after a refresh the token is as old as the refresh'
);
update auth.sessions
set access_token_exp = now() + interval '15 minutes';
select is((select a.expires_in from pg_temp.answer as a), 900, 'a client is told how long its token is good');
update auth.sessions
set access_token_exp = now() - interval '15 minutes';
select is((select a.expires_in from pg_temp.answer as a), 0, 'which is never less than not at all');

insert into auth.user_roles (user_id, product_domain, role, is_active)
values
(:bob, 'aqm', 'operator', true), (:bob, 'aqm', 'admin', true), (:bob, 'escrow', 'seller', true),
(:bob, 'escrow', 'arbiter', false);
select is(
    (select a.access_token -> 'roles' from pg_temp.answer as a),
    '{"aqm": ["admin", "operator"], "escrow": ["seller"]}',
    'the token tells the roles in each product, and not those that were taken back'
);

select * from finish();
rollback;
