create or replace function auth.list_partner_configs(
    p_id uuid,
    p_after text default null,
    p_limit integer default 100
)
returns setof auth.partner_config
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_limit between 1 and 1000) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be between 1 and 1000';
    end if;

    return query
    select pc.id, pc.company_id, pc.product_domain, pc.config, pc.created_at, pc.updated_at
    from auth.find_company(p_id) as c
    inner join auth.partner_configs as pc on pc.company_id = c.id
    where
        pc.is_active and pc.deleted_at is null
        and (p_after is null or pc.product_domain > p_after)
    order by pc.product_domain
    limit p_limit;
end
$$;

comment on function auth.list_partner_configs(uuid, text, integer) is
'Lists how the products behave for a partner company, a page at a time, to its members and to admins.
p_id: the company. p_after: the last product_domain of the page before; null: from the beginning. p_limit: 1 to 1000.
Returns configurations by product_domain; none of a company that the caller may not see.
Errors: 22023 for an argument out of range.';

revoke all on function auth.list_partner_configs(uuid, text, integer) from public;
grant execute on function auth.list_partner_configs(uuid, text, integer) to aqm_user, aqm_admin;

select gateway.expose(
    'GET /companies/{id}/partner-configs', 'auth.list_partner_configs', 'partner_configs', p_cache_seconds => 1800
);
