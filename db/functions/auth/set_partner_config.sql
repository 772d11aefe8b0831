create or replace function auth.set_partner_config(
    p_id uuid,
    p_product_domain text,
    p_config jsonb
)
returns setof auth.partner_config
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_product_domain ~ '^[a-z][a-z0-9_-]{0,49}$') is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'product_domain must have 1 to 50 of a-z, 0-9, dash and underscore';
    elsif p_config is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'config must not be null';
    end if;
    perform auth.check_object('config', p_config);
    perform auth.lock_company(p_id);
    insert into auth.partner_configs (company_id, product_domain, config)
    values (p_id, p_product_domain, p_config)
    on conflict (company_id, product_domain) where deleted_at is null do update
    set config = excluded.config, is_active = true, updated_at = now();
    perform auth.bust_companies();
    perform auth.write_audit('company.config_set', p_detail => jsonb_build_object(
        'company_id', p_id, 'product_domain', p_product_domain
    ));
    return query select * from auth.find_partner_config(p_id, p_product_domain);
end
$$;

comment on function auth.set_partner_config(uuid, text, jsonb) is
'Sets how a product behaves for a partner company; what was set before is gone.
p_id: the company. p_product_domain: the product. p_config: a JSON object of at most 20000 bytes; members of the company can read it.
Returns the configuration.
Errors: 22023 for a malformed argument, PT404 when there is no such company.';

revoke all on function auth.set_partner_config(uuid, text, jsonb) from public;
grant execute on function auth.set_partner_config(uuid, text, jsonb) to aqm_admin;

select gateway.expose('PUT /companies/{id}/partner-configs/{product_domain}', 'auth.set_partner_config');
