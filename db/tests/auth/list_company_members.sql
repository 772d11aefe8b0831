begin;
select plan(12);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set acme '''ac3e0000-0000-4000-8000-000000000000'''
\set gone '''dead0000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:alice), (:bob);
insert into auth.companies (id, name, metadata, deleted_at)
values (:acme, 'Acme', '{"city": "Pune"}', null), (:gone, 'Gone', '{}', now());
insert into auth.company_members (company_id, user_id) values (:acme, :alice), (:gone, :alice);
-- What the gateway says of the caller's token.
create function pg_temp.call_as(p_role text, p_sub uuid)
returns void
language plpgsql
as $$
begin
    perform set_config('request.claims', jsonb_build_object('role', p_role, 'sub', p_sub)::text, true);
end
$$;

insert into auth.company_members (company_id, user_id, role, is_active, deleted_at)
values (:acme, :bob, 'owner', true, null);
insert into auth.users (id)
values ('c0000000-0000-4000-8000-000000000000'), ('d0000000-0000-4000-8000-000000000000');
insert into auth.company_members (company_id, user_id, is_active, deleted_at)
values (:acme, 'c0000000-0000-4000-8000-000000000000', false, now()),
(:acme, 'd0000000-0000-4000-8000-000000000000', true, null);

select
    throws_ok(
        format('select * from auth.list_company_members(%L, null, %s)', :acme, bad.number), '22023',
        'limit must be between 1 and 1000', bad.description
    )
from (
    values ('0', 'an empty page is refused'), ('1001', 'and one too long'), ('null', 'and one without an end')
) as bad (number, description);
select results_eq(
    format('select user_id, role, created_at from auth.list_company_members(%L)', :acme),
    format(
        $$values (%L::uuid, 'member', now()), (%L, 'owner', now()),
        ('d0000000-0000-4000-8000-000000000000', 'member', now())$$,
        :alice, :bob
    ),
    'members are listed, but for those who were removed'
);
select results_eq(
    format('select user_id from auth.list_company_members(%L, null, 1)', :acme), format('values (%L::uuid)', :alice),
    'a page at a time'
);
select results_eq(
    format('select user_id from auth.list_company_members(%L, %L, 1)', :acme, :alice),
    format('values (%L::uuid)', :bob),
    'each goes on after the one before'
);
select is_empty(format('select * from auth.list_company_members(%L)', :gone), 'what was deleted has none to see');
select pg_temp.call_as('user', :bob) as called;
set local role aqm_user;
select is(
    (
        select count(*)
        from auth.list_company_members(:acme)
    ), 3::bigint, 'a member sees the others'
);
reset role;
select pg_temp.call_as('user', 'c0000000-0000-4000-8000-000000000000') as called;
set local role aqm_user;
select is_empty(format('select * from auth.list_company_members(%L)', :acme), 'who was removed sees nobody');
reset role;
select pg_temp.call_as('admin', 'c0000000-0000-4000-8000-000000000000') as called;
set local role aqm_admin;
select is(
    (
        select count(*)
        from auth.list_company_members(:acme)
    ), 3::bigint, 'an administrator sees all'
);
reset role;
select
    throws_ok(
        format('set local role %s; select * from auth.list_company_members(null)', other.role), '42501',
        'permission denied for function list_company_members', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_device')) as other (role);

select * from finish();
rollback;
