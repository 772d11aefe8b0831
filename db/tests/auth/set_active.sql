begin;
select plan(9);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
insert into auth.users (id, password_hash) values (:bob, 'x');
select t.session_id as here
from auth.open_session(:bob, 'user', null, null, null) as t
\gset

set local role aqm_admin;
select lives_ok(format('select auth.set_active(%L, false)', :bob), 'an admin may lock an account');
reset role;
select is(u.is_active, false, 'which then is locked')
from auth.users as u;
select is_empty(format('select 1 from auth.list_sessions(%L)', :bob), 'and has no session any more');
select set_eq(
    'select session_id from gateway.list_revocations()', array[:'here'::uuid], 'at no gateway'
);
select lives_ok(format('select auth.set_active(%L, true)', :bob), 'it may be opened again');
select is(u.is_active, true, 'and is then')
from auth.users as u;
select results_eq(
    $$select action from auth.audit_logs where action ~ 'activated' order by id$$,
    $$values ('user.deactivated'), ('user.activated')$$, 'the audit knows of both'
);
select throws_ok(
    'select auth.set_active(gen_random_uuid(), false)', 'PT404', 'there is no such account', 'nobody is not locked'
);
select throws_ok(
    format('select auth.set_active(%L, null)', :bob), '22023', 'is_active must not be null', 'it is one or the other'
);

select * from finish();
rollback;
