create or replace function escrow.bust_products()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform gateway.bust_cache('escrow.find_product');
    perform gateway.bust_cache('escrow.search_products');
end
$$;

comment on function escrow.bust_products() is
'Makes gateways forget what they keep of products; called by whoever changes one, or what it shows of its seller.
Errors: none.';

revoke all on function escrow.bust_products() from public;
