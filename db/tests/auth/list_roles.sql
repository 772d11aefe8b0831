begin;
select plan(5);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set eve '''e5e00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:bob), (:eve);
insert into auth.user_roles (user_id, product_domain, role, is_active)
values
(:bob, 'escrow', 'seller', true), (:bob, 'escrow', 'buyer', true), (:bob, 'aqm', 'admin', true),
(:bob, 'aqm', 'operator', false), (:eve, 'aqm', 'admin', true);

set local role aqm_user;
select results_eq(
    format('select * from auth.list_roles(%L)', :bob),
    $$values ('aqm', 'admin', now()), ('escrow', 'buyer', now()), ('escrow', 'seller', now())$$,
    'a person sees what they are, in which product and since when, and not what they were'
);
select results_eq(
    format($$select role from auth.list_roles(%L, 'escrow')$$, :bob), $$values ('buyer'), ('seller')$$,
    'in one product as well'
);
select is_empty(format($$select auth.list_roles(%L, 'sales')$$, :bob), 'nowhere they are nothing');
select is_empty('select auth.list_roles(gen_random_uuid())', 'and nobody is nothing anywhere');
set local role aqm_device;
select throws_ok(
    format('select auth.list_roles(%L)', :bob), '42501', 'permission denied for function list_roles',
    'a device has no say in it'
);

select * from finish();
rollback;
