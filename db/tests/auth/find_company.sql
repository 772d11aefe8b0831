begin;
select plan(8);

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

select results_eq(
    format('select id, name, metadata, is_active from auth.find_company(%L)', :acme),
    format($$values (%L::uuid, 'Acme', '{"city": "Pune"}'::jsonb, true)$$, :acme), 'a company is shown'
);
select is_empty(format('select * from auth.find_company(%L)', :gone), 'one that was deleted is not');
select pg_temp.call_as('user', :alice) as called;
set local role aqm_user;
select results_eq(
    format('select name from auth.find_company(%L)', :acme), $$values ('Acme')$$, 'a member sees it'
);
select is_empty(format('select * from auth.find_company(%L)', :gone), 'but not when it was deleted');
reset role;
select pg_temp.call_as('user', :bob) as called;
set local role aqm_user;
select is_empty(format('select * from auth.find_company(%L)', :acme), 'for others it is not there');
reset role;
select pg_temp.call_as('admin', :bob) as called;
set local role aqm_admin;
select results_eq(
    format('select name from auth.find_company(%L)', :acme), $$values ('Acme')$$, 'for an administrator it is'
);
reset role;
select
    throws_ok(
        format('set local role %s; select * from auth.find_company(null)', other.role), '42501',
        'permission denied for function find_company', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_device')) as other (role);

select * from finish();
rollback;
