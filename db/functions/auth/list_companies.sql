create or replace function auth.list_companies(
    p_after uuid default null,
    p_limit integer default 100
)
returns setof auth.company
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    -- As auth.may_read_company(), but read from the member's side: a person has few, there may be many.
    v_sees_all constant boolean := coalesce(auth.request_claim('role'), 'admin') = 'admin';
    v_mine uuid[];
begin
    if (p_limit between 1 and 1000) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be between 1 and 1000';
    end if;
    if not v_sees_all then
        v_mine := array(
            select cm.company_id
            from auth.company_members as cm
            where cm.user_id = auth.request_claim('sub')::uuid and cm.is_active and cm.deleted_at is null
        );
    end if;

    return query
    select c.id, c.name, c.metadata, c.is_active, c.created_at, c.updated_at
    from auth.companies as c
    where
        c.deleted_at is null
        and (p_after is null or c.id > p_after)
        and (v_sees_all or c.id = any(v_mine))
    order by c.id
    limit p_limit;
end
$$;

comment on function auth.list_companies(uuid, integer) is
'Lists companies, a page at a time: to an admin all, to others those that they belong to.
p_after: the last id of the page before; null: from the beginning. p_limit: 1 to 1000.
Returns companies by id.
Errors: 22023 for an argument out of range.';

revoke all on function auth.list_companies(uuid, integer) from public;
grant execute on function auth.list_companies(uuid, integer) to aqm_user, aqm_admin;

select gateway.expose('GET /companies', 'auth.list_companies', 'companies');
