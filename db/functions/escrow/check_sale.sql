create or replace function escrow.check_sale(
    p_product escrow.products,
    p_buyer_wallet text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_product.status = 'deleted' or p_product.deleted_at is not null then
        raise exception using errcode = 'PT404', message = 'there is no such product';
    elsif p_product.stock = 0 then
        raise exception using errcode = 'PT409', message = 'the product is sold out', constraint = 'sold_out';
    elsif p_product.status <> 'active' then
        raise exception using errcode = 'PT409', message = format('the product is %s', p_product.status),
            constraint = 'not_active';
    end if;
    perform escrow.check_new_seller(p_product.seller_wallet, p_buyer_wallet, p_product.price_usdt);
end
$$;

comment on function escrow.check_sale(escrow.products, text) is
'Refuses an order of a product that nobody can buy now.
p_product: which, locked, as it was before the order. p_buyer_wallet: who orders.
Errors: PT404 when it is deleted, PT409 (sold_out, not_active, new_seller_limit) when nobody can buy it now.';

revoke all on function escrow.check_sale(escrow.products, text) from public;
