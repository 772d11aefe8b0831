begin;
select plan(15);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set acme '''ac3e0000-0000-4000-8000-000000000000'''
\set gone '''dead0000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:alice), (:bob);
insert into auth.companies (id, name, metadata, deleted_at)
values (:acme, 'Acme', '{"city": "Pune"}', null), (:gone, 'Gone', '{}', now());

select
    throws_ok(
        format('select auth.add_company_member(%L, %L, %L)', :acme, :alice, bad.role), '22023',
        'role must be owner, manager or member', bad.description
    )
from (values ('king', 'an unknown role is refused'), (null, 'and none')) as bad (role, description);
select throws_ok(
    format('select auth.add_company_member(%L, %L)', :gone, :alice), 'PT404', 'there is no such company',
    'nobody belongs to what was deleted'
);
select throws_ok(
    format('select auth.add_company_member(%L, %L)', :acme, :gone), 'PT404', 'there is no such account',
    'nobody can''t belong to it'
);
set local role aqm_admin;
select lives_ok(format('select auth.add_company_member(%L, %L)', :acme, :alice), 'an administrator adds a person');
select lives_ok(
    format($$select auth.add_company_member(%L, %L, 'owner')$$, :acme, :bob), 'or another, as something else'
);
select results_eq(
    format('select user_id, role from auth.list_company_members(%L)', :acme),
    format($$values (%L::uuid, 'member'), (%L, 'owner')$$, :alice, :bob), 'they are members'
);
select lives_ok(
    format($$select auth.add_company_member(%L, %L, 'manager')$$, :acme, :alice), 'a member may become another one'
);
select lives_ok(format('select auth.remove_company_member(%L, %L)', :acme, :bob), 'or be removed');
select lives_ok(format('select auth.add_company_member(%L, %L)', :acme, :bob), 'and come back');
reset role;
select results_eq(
    'select user_id, role, is_active, deleted_at is null from auth.company_members order by user_id',
    format($$values (%L::uuid, 'manager', true, true), (%L, 'member', true, true)$$, :alice, :bob),
    'as it was said last'
);
select results_eq(
    $$select detail ->> 'role' from auth.audit_logs where action = 'company.member_added' order by id$$,
    $$values ('member'), ('owner'), ('manager'), ('member')$$, 'the audit knows each'
);
select
    throws_ok(
        format('set local role %s; select * from auth.add_company_member(null, null)', other.role), '42501',
        'permission denied for function add_company_member', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_device'), ('aqm_user')) as other (role);

select * from finish();
rollback;
