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

select results_eq(
    format($$select company_id, product_domain, config from auth.find_partner_config(%L, 'shop')$$, :acme),
    format($$values (%L::uuid, 'shop', '{"fee": 1}'::jsonb)$$, :acme), 'a configuration is shown'
);
select is_empty(format('select * from auth.find_partner_config(%L, %L)', bad.id, bad.product), bad.description)
from (
    values
    (:acme, 'rest', 'one at rest is not'), (:acme, 'past', 'nor one that was deleted'),
    (:gone, 'shop', 'nor that of a company that was')
) as bad (id, product, description);
select pg_temp.call_as('user', :alice) as called;
set local role aqm_user;
select results_eq(
    format($$select config from auth.find_partner_config(%L, 'bank')$$, :acme), $$values ('{"fee": 2}'::jsonb)$$,
    'a member sees it'
);
reset role;
select pg_temp.call_as('user', :bob) as called;
set local role aqm_user;
select is_empty(format($$select * from auth.find_partner_config(%L, 'bank')$$, :acme), 'nobody else does');
reset role;
select pg_temp.call_as('admin', :bob) as called;
set local role aqm_admin;
select results_eq(
    format($$select config from auth.find_partner_config(%L, 'bank')$$, :acme), $$values ('{"fee": 2}'::jsonb)$$,
    'but an administrator'
);
reset role;
select
    throws_ok(
        format('set local role %s; select * from auth.find_partner_config(null, null)', other.role), '42501',
        'permission denied for function find_partner_config', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_device')) as other (role);

select * from finish();
rollback;
