begin;
select plan(12);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set acme '''ac3e0000-0000-4000-8000-000000000000'''
\set gone '''dead0000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:alice), (:bob);
insert into auth.companies (id, name, metadata, deleted_at)
values (:acme, 'Acme', '{"city": "Pune"}', null), (:gone, 'Gone', '{}', now());

select
    throws_ok(
        format('select auth.update_company(%L, %L, %L)', :acme, bad.name, bad.metadata), '22023', bad.message,
        bad.description
    )
from (
    values
    ('', '{}', 'name must have between 1 and 400 bytes', 'a company has a name'),
    (repeat('x', 401), '{}', 'name must have between 1 and 400 bytes', 'which is not too long'),
    ('Acme', '[]', 'metadata must be a JSON object of at most 20000 bytes', 'what is no object is refused')
) as bad (name, metadata, message, description);
set local role aqm_admin;
select results_eq(
    format($$select name, metadata, is_active from auth.update_company(%L, 'Acme Ltd')$$, :acme),
    $$values ('Acme Ltd', '{"city": "Pune"}'::jsonb, true)$$, 'the name alone may change'
);
select results_eq(
    format($$select name, metadata from auth.update_company(%L, p_metadata => '{}')$$, :acme),
    $$values ('Acme Ltd', '{}'::jsonb)$$, 'or the rest'
);
select results_eq(
    format('select is_active, updated_at from auth.update_company(%L, p_is_active => false)', :acme),
    'values (false, now())', 'or whether it does business'
);
select is_empty(format($$select * from auth.update_company(%L, 'x')$$, :gone), 'what was deleted can''t be changed');
select is_empty(format($$select * from auth.update_company(%L, 'x')$$, :alice), 'nor what is none');
reset role;
select is(
    (
        select count(*)
        from auth.audit_logs as al
        where al.action = 'company.changed' and al.detail ->> 'company_id' = :acme
    ), 3::bigint, 'the audit knows each change'
);
select
    throws_ok(
        format('set local role %s; select * from auth.update_company(null)', other.role), '42501',
        'permission denied for function update_company', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_device'), ('aqm_user')) as other (role);

select * from finish();
rollback;
