create or replace function auth.create_company(
    p_name text,
    p_metadata jsonb default '{}'
)
returns setof auth.company
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_id uuid;
begin
    if (octet_length(p_name) between 1 and 400) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'name must have between 1 and 400 bytes';
    end if;
    perform auth.check_object('metadata', p_metadata);
    insert into auth.companies as c (name, metadata)
    values (p_name, coalesce(p_metadata, '{}'))
    returning c.id into v_id;
    perform auth.write_audit('company.created', p_detail => jsonb_build_object('company_id', v_id));
    return query select * from auth.find_company(v_id);
end
$$;

comment on function auth.create_company(text, jsonb) is
'Makes a company.
p_name: at most 400 bytes. p_metadata: what else is told about it, a JSON object of at most 20000 bytes.
Returns the company.
Errors: 22023 for a malformed argument.';

revoke all on function auth.create_company(text, jsonb) from public;
grant execute on function auth.create_company(text, jsonb) to aqm_admin;

select gateway.expose('POST /companies', 'auth.create_company');
