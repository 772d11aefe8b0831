create or replace function auth.find_partner_config(
    p_id uuid,
    p_product_domain text
)
returns setof auth.partner_config
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select pc.id, pc.company_id, pc.product_domain, pc.config, pc.created_at, pc.updated_at
    from auth.find_company(p_id) as c
    inner join auth.partner_configs as pc on pc.company_id = c.id
    where pc.product_domain = p_product_domain and pc.is_active and pc.deleted_at is null;
end
$$;

comment on function auth.find_partner_config(uuid, text) is
'Shows how a product behaves for a partner company, to its members and to admins.
p_id: the company. p_product_domain: the product.
Returns the configuration; no row when there is none that the caller may see.
Errors: none.';

revoke all on function auth.find_partner_config(uuid, text) from public;
grant execute on function auth.find_partner_config(uuid, text) to aqm_user, aqm_admin;

select gateway.expose(
    'GET /companies/{id}/partner-configs/{product_domain}', 'auth.find_partner_config', p_cache_seconds => 1800
);
