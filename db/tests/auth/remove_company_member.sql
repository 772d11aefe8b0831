begin;
select plan(9);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set acme '''ac3e0000-0000-4000-8000-000000000000'''
\set gone '''dead0000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:alice), (:bob);
insert into auth.companies (id, name, metadata, deleted_at)
values (:acme, 'Acme', '{"city": "Pune"}', null), (:gone, 'Gone', '{}', now());
insert into auth.company_members (company_id, user_id) values (:acme, :alice), (:gone, :alice);

set local role aqm_admin;
select lives_ok(format('select auth.remove_company_member(%L, %L)', :acme, :alice), 'a member may be removed');
select throws_ok(
    format('select auth.remove_company_member(%L, %L)', :acme, :alice),
    'PT404',
    'the company has no such member',
    'once'
);
select throws_ok(
    format('select auth.remove_company_member(%L, %L)', :acme, :bob), 'PT404', 'the company has no such member',
    'who is none can''t be'
);
select throws_ok(
    'select auth.remove_company_member(null, null)', 'PT404', 'the company has no such member', 'nor can nobody'
);
select is_empty(format('select * from auth.list_company_members(%L)', :acme), 'then the company has one less');
reset role;
select is(
    (
        select count(*)
        from auth.audit_logs as al
        where al.action = 'company.member_removed' and al.user_id = :alice
    ), 1::bigint, 'and the audit says so'
);
select
    throws_ok(
        format('set local role %s; select * from auth.remove_company_member(null, null)', other.role), '42501',
        'permission denied for function remove_company_member', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_device'), ('aqm_user')) as other (role);

select * from finish();
rollback;
