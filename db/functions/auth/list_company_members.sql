create or replace function auth.list_company_members(
    p_id uuid,
    p_after uuid default null,
    p_limit integer default 100
)
returns setof auth.company_member
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    if (p_limit between 1 and 1000) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be between 1 and 1000';
    end if;
    if not exists (select from auth.find_company(p_id)) then
        return;
    end if;

    return query
    select cm.user_id, cm.role, cm.created_at
    from auth.company_members as cm
    where
        cm.company_id = p_id and cm.is_active and cm.deleted_at is null
        and (p_after is null or cm.user_id > p_after)
    order by cm.user_id
    limit p_limit;
end
$$;

comment on function auth.list_company_members(uuid, uuid, integer) is
'Lists the members of a company, a page at a time, to themselves and to admins.
p_id: the company. p_after: the last user_id of the page before; null: from the beginning. p_limit: 1 to 1000.
Returns members by user_id; none of a company that the caller may not see.
Errors: 22023 for an argument out of range.';

revoke all on function auth.list_company_members(uuid, uuid, integer) from public;
grant execute on function auth.list_company_members(uuid, uuid, integer) to aqm_user, aqm_admin;

select gateway.expose('GET /companies/{id}/members', 'auth.list_company_members', 'members');
