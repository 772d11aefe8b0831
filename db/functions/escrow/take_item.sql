create or replace function escrow.take_item(
    p_product_id uuid,
    p_buyer_wallet text
)
returns setof escrow.products
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_product escrow.products;
begin
    select p.* into v_product
    from escrow.products as p
    where p.id = p_product_id
    for no key update;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such product';
    elsif v_product.seller_wallet = p_buyer_wallet then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'buyer_wallet must not be the seller''s', constraint = 'chk_buyer_not_seller';
    end if;
    perform escrow.check_trader(v_product.seller_wallet, 'seller_wallet');
    -- Who is active has some: follow_product() sees to it.
    update escrow.products as p set stock = p.stock - 1, updated_at = now()
    where p.id = p_product_id and p.status = 'active';
    if found then
        perform escrow.bust_products();
    end if;
    return next v_product;
end
$$;

comment on function escrow.take_item(uuid, text) is
'Takes one of a product''s stock for a buyer, while it is active; the product stays locked, so that of the buyers of the last item one gets it.
p_product_id: of what. p_buyer_wallet: for whom.
Returns the product as it was before: active, if one was taken.
Errors: PT404 when there is no such product, 22023 (chk_buyer_not_seller) when it is the buyer''s own, 42501 for a blacklisted seller.';

revoke all on function escrow.take_item(uuid, text) from public;
