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
select lives_ok(format('select auth.delete_company(%L)', :acme), 'an administrator deletes a company');
select throws_ok(
    format('select auth.delete_company(%L)', :acme), 'PT404', 'there is no such company', 'once'
);
select throws_ok('select auth.delete_company(null)', 'PT404', 'there is no such company', 'and not nothing');
select is_empty(format('select * from auth.find_company(%L)', :acme), 'then nobody sees it');
reset role;
select results_eq(
    format('select name, is_active, deleted_at from auth.companies where id = %L', :acme),
    $$values ('Acme', false, now())$$, 'but it is stored'
);
select is(
    (
        select count(*)
        from auth.audit_logs as al
        where al.action = 'company.deleted' and al.detail ->> 'company_id' = :acme
    ), 1::bigint, 'and the audit says so'
);
select
    throws_ok(
        format('set local role %s; select * from auth.delete_company(null)', other.role), '42501',
        'permission denied for function delete_company', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_device'), ('aqm_user')) as other (role);

select * from finish();
rollback;
