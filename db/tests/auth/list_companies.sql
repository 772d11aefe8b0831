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

insert into auth.companies (id, name)
values ('10000000-0000-4000-8000-000000000000', 'First'), ('f0000000-0000-4000-8000-000000000000', 'Last');
insert into auth.company_members (company_id, user_id)
values ('f0000000-0000-4000-8000-000000000000', :alice);

select
    throws_ok(
        format('select * from auth.list_companies(null, %s)', bad.number), '22023', 'limit must be between 1 and 1000',
        bad.description
    )
from (
    values ('0', 'an empty page is refused'), ('1001', 'and one too long'), ('null', 'and one without an end')
) as bad (number, description);
select results_eq(
    'select name from auth.list_companies()', $$values ('First'), ('Acme'), ('Last')$$,
    'companies are listed, but for those that were deleted'
);
select results_eq('select name from auth.list_companies(null, 2)', $$values ('First'), ('Acme')$$, 'a page at a time');
select results_eq(
    format('select name from auth.list_companies(%L, 2)', :acme),
    $$values ('Last')$$,
    'each goes on after the one before'
);
select pg_temp.call_as('user', :alice) as called;
set local role aqm_user;
select results_eq(
    'select name from auth.list_companies()', $$values ('Acme'), ('Last')$$, 'a person sees those that they belong to'
);
select results_eq(
    format('select name from auth.list_companies(%L)', :acme), $$values ('Last')$$, 'a page at a time'
);
reset role;
select pg_temp.call_as('user', :bob) as called;
set local role aqm_user;
select is_empty('select * from auth.list_companies()', 'who belongs to none sees none');
reset role;
select pg_temp.call_as('admin', :bob) as called;
set local role aqm_admin;
select is(
    (
        select count(*)
        from auth.list_companies()
    ), 3::bigint, 'an administrator sees all'
);
reset role;
select
    throws_ok(
        format('set local role %s; select * from auth.list_companies()', other.role), '42501',
        'permission denied for function list_companies', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_device')) as other (role);

select * from finish();
rollback;
