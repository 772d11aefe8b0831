begin;
select plan(7);

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

select ok(auth.may_read_company(:acme), 'in psql a DBA sees all');
select pg_temp.call_as('user', :alice) as called;
select ok(auth.may_read_company(:acme), 'a member sees the company');
select pg_temp.call_as('user', :bob) as called;
select ok(not auth.may_read_company(:acme), 'nobody else does');
select ok(not auth.may_read_company(null), 'nor what there is not');
select pg_temp.call_as('admin', :bob) as called;
select ok(auth.may_read_company(:acme), 'an administrator does');
select pg_temp.call_as('user', :alice) as called;
update auth.company_members set is_active = false;
select ok(not auth.may_read_company(:acme), 'a member at rest does not');
update auth.company_members set is_active = true, deleted_at = now();
select ok(not auth.may_read_company(:acme), 'nor one who was removed');

select * from finish();
rollback;
