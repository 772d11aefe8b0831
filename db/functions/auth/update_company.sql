create or replace function auth.update_company(
    p_id uuid,
    p_name text default null,
    p_metadata jsonb default null,
    p_is_active boolean default null
)
returns setof auth.company
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if octet_length(p_name) not between 1 and 400 then
        raise exception using errcode = 'invalid_parameter_value', message = 'name must have between 1 and 400 bytes';
    end if;
    perform auth.check_object('metadata', p_metadata);
    update auth.companies as c
    set
        name = coalesce(p_name, c.name),
        metadata = coalesce(p_metadata, c.metadata),
        is_active = coalesce(p_is_active, c.is_active),
        updated_at = now()
    where c.id = p_id and c.deleted_at is null;
    if found then
        perform auth.bust_companies();
        perform auth.write_audit('company.changed', p_detail => jsonb_build_object('company_id', p_id));
    end if;
    return query select * from auth.find_company(p_id);
end
$$;

comment on function auth.update_company(uuid, text, jsonb, boolean) is
'Changes what is told of a company; what is null stays as it is.
p_id: which. p_name: at most 400 bytes. p_metadata: a JSON object of at most 20000 bytes. p_is_active: whether it does business with us.
Returns the company; no row when there is none.
Errors: 22023 for a malformed argument.';

revoke all on function auth.update_company(uuid, text, jsonb, boolean) from public;
grant execute on function auth.update_company(uuid, text, jsonb, boolean) to aqm_admin;

select gateway.expose('PUT /companies/{id}', 'auth.update_company');
