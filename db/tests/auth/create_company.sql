begin;
select plan(12);

select
    throws_ok(
        format('select auth.create_company(%L, %L)', bad.name, bad.metadata), '22023', bad.message, bad.description
    )
from (
    values
    ('', '{}', 'name must have between 1 and 400 bytes', 'a company has a name'),
    (null, '{}', 'name must have between 1 and 400 bytes', 'none is refused'),
    (repeat('x', 401), '{}', 'name must have between 1 and 400 bytes', 'and one too long'),
    ('Acme', '[]', 'metadata must be a JSON object of at most 20000 bytes', 'and what is no object')
) as bad (name, metadata, message, description);
set local role aqm_admin;
select results_eq(
    $$select name, metadata, is_active, created_at from auth.create_company('Acme', '{"city": "Pune"}')$$,
    $$values ('Acme', '{"city": "Pune"}'::jsonb, true, now())$$, 'an administrator makes a company'
);
select results_eq(
    $$select name, metadata from auth.create_company('Acme', null)$$, $$values ('Acme', '{}'::jsonb)$$,
    'there may be two of one name'
);
reset role;
select results_eq(
    $$select detail ->> 'company_id' from auth.audit_logs where action = 'company.created' order by 1$$,
    'select id::text from auth.companies order by 1', 'the audit has both'
);
select is(
    (
        select count(*)
        from auth.companies
    ), 2::bigint, 'and so has the table'
);
select is_empty('select 1 from auth.company_members', 'nobody belongs to a new company');
select
    throws_ok(
        format('set local role %s; select * from auth.create_company(''x'')', other.role), '42501',
        'permission denied for function create_company', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_device'), ('aqm_user')) as other (role);

select * from finish();
rollback;
