begin;
select plan(17);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set eve '''e5e00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:bob), (:eve);
insert into auth.user_roles (user_id, product_domain, role)
values
(:bob, 'aqm', 'admin'), (:bob, 'aqm', 'operator'), (:bob, 'escrow', 'admin'), (:bob, 'escrow', 'seller'),
(:eve, 'escrow', 'seller');
select
    t.session_id as browser,
    t.refresh_token as token
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
select t.session_id as office
from auth.open_session(:bob, 'admin', null, null, null) as t
\gset
set local "request.claims" = '{"sub": "an admin"}';

set local role aqm_admin;
select lives_ok(
    format($$select auth.revoke_role(%L, 'escrow', 'seller')$$, :bob), 'an administrator takes a role back'
);
reset role;
select lives_ok(
    format($$select auth.revoke_role(%1$L, 'aqm', 'operator'), auth.revoke_role(%1$L, 'escrow', 'admin')$$, :bob),
    'and others'
);
select ok(not auth.has_role(:bob, 'escrow', 'seller'), 'who had it has it no more');
select ok(auth.has_role(:eve, 'escrow', 'seller'), 'others keep it');
select set_eq(
    'select session_id from gateway.list_revocations()', array[:'browser', :'office']::uuid[],
    'tokens that still tell of it are refused'
);
select is(
    (select t.access_token -> 'roles' from auth.refresh(:'token') as t), '{"aqm": ["admin"]}',
    'and the next one doesn''t'
);
select is(
    (select count(*) from auth.list_sessions(:bob)), 2::bigint, 'the person stays logged in, as administrator as well'
);
select results_eq(
    $$select actor, user_id, detail from auth.audit_logs where action = 'role.revoked' order by id limit 1$$,
    format($$values ('an admin', %L::uuid, '{"product_domain": "escrow", "role": "seller"}'::jsonb)$$, :bob),
    'who took it from whom is known'
);
select lives_ok(format($$select auth.revoke_role(%L, 'aqm', 'admin')$$, :bob), 'one may stop being an administrator');
select results_eq(
    format('select id from auth.list_sessions(%L)', :bob), array[:'browser'::uuid],
    'and is out as one, but not as a person'
);
insert into auth.user_roles (user_id, product_domain, role) values (:eve, 'aqm', 'worker');
select t.session_id as queue
from auth.open_session(:eve, 'worker', null, null, null) as t
\gset
select lives_ok(format($$select auth.revoke_role(%L, 'aqm', 'worker')$$, :eve), 'a worker may be dismissed');
select is_empty(format('select id from auth.list_sessions(%L)', :eve), 'and is out');

select
    throws_ok(
        format('select auth.revoke_role(%s)', bad.arguments), 'PT404', 'the account does not have this role',
        bad.description
    )
from (
    values
    (format($$%L, 'escrow', 'seller'$$, :bob), 'a role is taken back once'),
    (format($$%L, 'aqm', 'admin'$$, :eve), 'who never had it keeps nothing'),
    ($$gen_random_uuid(), 'aqm', 'admin'$$, 'nobody has none'),
    ($$null, null, null$$, 'nor has no one')
) as bad (arguments, description);
set local role aqm_user;
select throws_ok(
    format($$select auth.revoke_role(%L, 'escrow', 'seller')$$, :eve), '42501',
    'permission denied for function revoke_role', 'a user takes nothing from others'
);

select * from finish();
rollback;
