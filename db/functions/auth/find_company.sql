create or replace function auth.find_company(
    p_id uuid
)
returns setof auth.company
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select c.id, c.name, c.metadata, c.is_active, c.created_at, c.updated_at
    from auth.companies as c
    where c.id = p_id and c.deleted_at is null and auth.may_read_company(c.id);
end
$$;

comment on function auth.find_company(uuid) is
'Shows a company to its members and to admins.
p_id: which.
Returns the company; no row when there is none that the caller may see.
Errors: none.';

revoke all on function auth.find_company(uuid) from public;
grant execute on function auth.find_company(uuid) to aqm_user, aqm_admin;

select gateway.expose('GET /companies/{id}', 'auth.find_company', p_cache_seconds => 3600);
