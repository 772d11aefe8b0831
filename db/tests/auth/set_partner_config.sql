begin;
select plan(14);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set acme '''ac3e0000-0000-4000-8000-000000000000'''
\set gone '''dead0000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:alice), (:bob);
insert into auth.companies (id, name, metadata, deleted_at)
values (:acme, 'Acme', '{"city": "Pune"}', null), (:gone, 'Gone', '{}', now());

select
    throws_ok(
        format('select auth.set_partner_config(%L, %L, %L)', bad.id, bad.product, bad.config), bad.state, bad.message,
        bad.description
    )
from (
    values
    (
        :acme, 'Shop!', '{}', '22023', 'product_domain must have 1 to 50 of a-z, 0-9, dash and underscore',
        'a product has a plain name'
    ),
    (
        :acme, null, '{}', '22023', 'product_domain must have 1 to 50 of a-z, 0-9, dash and underscore',
        'and must be named'
    ),
    (:acme, 'shop', null, '22023', 'config must not be null', 'there is something to set'),
    (:acme, 'shop', '[]', '22023', 'config must be a JSON object of at most 20000 bytes', 'which is an object'),
    (:gone, 'shop', '{}', 'PT404', 'there is no such company', 'a deleted company has no products')
) as bad (id, product, config, state, message, description);
set local role aqm_admin;
select results_eq(
    format(
        $$select company_id, product_domain, config, created_at
        from auth.set_partner_config(%L, 'shop', '{"fee": 1, "a": 2}')$$,
        :acme
    ),
    format($$values (%L::uuid, 'shop', '{"fee": 1, "a": 2}'::jsonb, now())$$, :acme), 'an administrator sets it'
);
select results_eq(
    format($$select config from auth.set_partner_config(%L, 'shop', '{"fee": 2}')$$, :acme),
    $$values ('{"fee": 2}'::jsonb)$$, 'what is set later is all there is'
);
select results_eq(
    format($$select config from auth.set_partner_config(%L, 'bank', '{}')$$, :acme), $$values ('{}'::jsonb)$$,
    'each product has its own'
);
reset role;
select is(
    (
        select count(*)
        from auth.partner_configs
    ), 2::bigint, 'and one alone'
);
update auth.partner_configs set deleted_at = now()
where product_domain = 'shop';
select results_eq(
    format($$select config from auth.set_partner_config(%L, 'shop', '{"fee": 3}')$$, :acme),
    $$values ('{"fee": 3}'::jsonb)$$, 'after one that was deleted there may be another'
);
select results_eq(
    $$select detail from auth.audit_logs where action = 'company.config_set' order by id limit 1$$,
    format($$select jsonb_build_object('company_id', %L, 'product_domain', 'shop')$$, :acme),
    'the audit knows of it, but not what it says'
);
select
    throws_ok(
        format('set local role %s; select * from auth.set_partner_config(null, null, null)', other.role), '42501',
        'permission denied for function set_partner_config', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_device'), ('aqm_user')) as other (role);

select * from finish();
rollback;
