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
    where p.id = p_product_id and p.status <> 'deleted' and p.deleted_at is null
    for no key update;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such product';
    elsif v_product.seller_wallet = p_buyer_wallet then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'buyer_wallet must not be the seller''s', constraint = 'chk_buyer_not_seller';
    end if;
    perform escrow.check_trader(v_product.seller_wallet, 'seller_wallet');
    if v_product.status = 'sold_out' or v_product.stock = 0 then
        raise exception using errcode = 'PT409', message = 'the product is sold out', constraint = 'sold_out';
    elsif v_product.status <> 'active' then
        raise exception using errcode = 'PT409', message = format('the product is %s', v_product.status),
            constraint = 'not_active';
    end if;
    perform escrow.check_new_seller(v_product.seller_wallet, p_buyer_wallet, v_product.price_usdt);

    update escrow.products as p set stock = p.stock - 1, updated_at = now() where p.id = p_product_id;
    perform escrow.bust_products();
    return next v_product;
end
$$;

comment on function escrow.take_item(uuid, text) is
'Takes one of a product''s stock for a buyer; the product stays locked, so that of the buyers of the last item one gets it.
p_product_id: of what. p_buyer_wallet: for whom.
Returns the product as it was before.
Errors: PT404 when there is no such product, 22023 (chk_buyer_not_seller) when it is the buyer''s own, 42501 for a blacklisted seller, PT409 (sold_out, not_active, new_seller_limit) when nobody can buy it now.';

revoke all on function escrow.take_item(uuid, text) from public;
