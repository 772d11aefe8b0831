create or replace function escrow.bust_profiles()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform gateway.bust_cache('escrow.find_profile');
    perform gateway.bust_cache('escrow.search_products');
    perform gateway.bust_cache('escrow.find_product');
    perform gateway.bust_cache('escrow.list_arbitrators');
end
$$;

comment on function escrow.bust_profiles() is
'Makes gateways forget what they keep of people: profiles, and listings and arbitrators, which show parts of them.
Errors: none.';

revoke all on function escrow.bust_profiles() from public;
