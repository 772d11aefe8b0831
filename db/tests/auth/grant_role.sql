begin;
select plan(22);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set eve '''e5e00000-0000-4000-8000-000000000000'''
insert into auth.users (id, deleted_at) values (:bob, null), (:eve, now());
select
    t.session_id as session,
    t.refresh_token as token
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
set local "request.claims" = '{"sub": "an admin"}';

set local role aqm_admin;
select lives_ok(
    format($$select auth.grant_role(%L, 'escrow', 'seller')$$, :bob), 'an administrator gives a person a role'
);
reset role;
select ok(auth.has_role(:bob, 'escrow', 'seller'), 'who then has it');
select set_eq(
    'select session_id from gateway.list_revocations()', array[:'session'::uuid],
    'tokens that don''t know it are refused'
);
select is(
    (select t.access_token -> 'roles' from auth.refresh(:'token') as t), '{"escrow": ["seller"]}',
    'and the next one tells it'
);
select results_eq(
    $$select actor, user_id, detail from auth.audit_logs where action = 'role.granted'$$,
    format($$values ('an admin', %L::uuid, '{"product_domain": "escrow", "role": "seller"}'::jsonb)$$, :bob),
    'who gave it to whom is known'
);

delete from gateway.revocation;
select lives_ok(format($$select auth.grant_role(%L, 'escrow', 'seller')$$, :bob), 'giving it twice does no harm');
select is_empty('select * from gateway.list_revocations()', 'and voids no tokens');
select is(
    (
        select count(*)
        from auth.audit_logs as al
        where al.action = 'role.granted'
    ), 1::bigint, 'nor does it leave a trace'
);
select lives_ok(format($$select auth.revoke_role(%L, 'escrow', 'seller')$$, :bob), 'a role may be taken back');
select lives_ok(format($$select auth.grant_role(%L, 'escrow', 'seller')$$, :bob), 'and be given again');
select ok(auth.has_role(:bob, 'escrow', 'seller'), 'and the person has it again');

select throws_ok(format('select auth.grant_role(%s)', bad.arguments), bad.code, bad.message, bad.description)
from (
    values
    (
        format($$%L, 'escrow', 'seller'$$, :eve), 'PT404', 'there is no such account',
        'who was deleted is given none'
    ),
    ($$gen_random_uuid(), 'escrow', 'seller'$$, 'PT404', 'there is no such account', 'nor is nobody'),
    ($$null, 'escrow', 'seller'$$, 'PT404', 'there is no such account', 'nor no one'),
    (
        format($$%L, 'Escrow', 'seller'$$, :bob), '22023',
        'product_domain must have 1 to 50 of a-z, 0-9, dash and underscore', 'a product is in small letters'
    ),
    (
        format($$%L, null, 'seller'$$, :bob), '22023',
        'product_domain must have 1 to 50 of a-z, 0-9, dash and underscore', 'and is needed'
    ),
    (
        format($$%L, 'escrow', repeat('s', 51)$$, :bob), '22023',
        'role must have 1 to 50 of a-z, 0-9, dash and underscore', 'a role has an end'
    ),
    (
        format($$%L, 'escrow', null$$, :bob), '22023', 'role must have 1 to 50 of a-z, 0-9, dash and underscore',
        'and a name'
    ),
    (
        format($$%L, 'aqm', 'worke'$$, :bob), '22023', 'role must be worker or admin in product aqm',
        'a typo gives nobody a role that opens nothing'
    )
) as bad (arguments, code, message, description);
select
    lives_ok(
        format('select auth.grant_role(%L, ''aqm'', %L)', :bob, own.role), format('aqm knows the role %s', own.role)
    )
from (values ('worker'), ('admin')) as own (role);
set local role aqm_user;
select throws_ok(
    format($$select auth.grant_role(%L, 'aqm', 'admin')$$, :bob), '42501', 'permission denied for function grant_role',
    'nobody makes themselves an administrator'
);

select * from finish();
rollback;
