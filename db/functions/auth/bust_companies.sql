create or replace function auth.bust_companies()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform gateway.bust_cache('auth.find_company');
    perform gateway.bust_cache('auth.find_partner_config');
    perform gateway.bust_cache('auth.list_partner_configs');
end
$$;

comment on function auth.bust_companies() is
'Makes gateways forget what they keep of companies: who belongs to one decides who may see it, so all of it goes.
Errors: none.';

revoke all on function auth.bust_companies() from public;
