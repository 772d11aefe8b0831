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
insert into auth.partner_configs (company_id, product_domain, config, is_active, deleted_at)
values
(:acme, 'shop', '{"fee": 1}', true, null), (:acme, 'bank', '{"fee": 2}', true, null),
(:acme, 'rest', '{"fee": 3}', false, null), (:acme, 'past', '{"fee": 4}', true, now()),
(:gone, 'shop', '{"fee": 5}', true, null);

select
    throws_ok(
        format('select * from auth.list_partner_configs(%L, null, %s)', :acme, bad.number), '22023',
        'limit must be between 1 and 1000', bad.description
    )
from (
    values ('0', 'an empty page is refused'), ('1001', 'and one too long'), ('null', 'and one without an end')
) as bad (number, description);
select results_eq(
    format('select product_domain, config from auth.list_partner_configs(%L)', :acme),
    $$values ('bank', '{"fee": 2}'::jsonb), ('shop', '{"fee": 1}')$$, 'what is in use is listed'
);
select results_eq(
    format('select product_domain from auth.list_partner_configs(%L, null, 1)', :acme), $$values ('bank')$$,
    'a page at a time'
);
select results_eq(
    format($$select product_domain from auth.list_partner_configs(%L, 'bank', 1)$$, :acme), $$values ('shop')$$,
    'each goes on after the one before'
);
select is_empty(format('select * from auth.list_partner_configs(%L)', :gone), 'a deleted company has none');
select pg_temp.call_as('user', :alice) as called;
set local role aqm_user;
select is(
    (
        select count(*)
        from auth.list_partner_configs(:acme)
    ), 2::bigint, 'a member sees them'
);
reset role;
select pg_temp.call_as('user', :bob) as called;
set local role aqm_user;
select is_empty(format('select * from auth.list_partner_configs(%L)', :acme), 'nobody else does');
reset role;
select pg_temp.call_as('admin', :bob) as called;
set local role aqm_admin;
select is(
    (
        select count(*)
        from auth.list_partner_configs(:acme)
    ), 2::bigint, 'but an administrator'
);
reset role;
select
    throws_ok(
        format('set local role %s; select * from auth.list_partner_configs(null)', other.role), '42501',
        'permission denied for function list_partner_configs', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_device')) as other (role);

select * from finish();
rollback;
