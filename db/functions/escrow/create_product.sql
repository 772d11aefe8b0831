create or replace function escrow.create_product(
    p_seller_wallet gateway.wallet,
    p_title_preview text,
    p_description_preview text,
    p_category escrow.product_category,
    p_price_usdt numeric,
    p_product_hash text,
    p_stock integer default 1
)
returns setof escrow.product_view
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_missing text;
    v_id uuid;
begin
    select g.name into v_missing
    from (
        values
        ('title_preview', p_title_preview is null),
        ('description_preview', p_description_preview is null),
        ('category', p_category is null),
        ('price_usdt', p_price_usdt is null),
        ('product_hash', p_product_hash is null),
        ('stock', p_stock is null)
    ) as g (name, is_missing)
    where g.is_missing
    limit 1;
    if found then
        raise exception using errcode = 'invalid_parameter_value', message = format('%s must be there', v_missing);
    end if;
    perform escrow.check_product(p_title_preview, p_description_preview, p_price_usdt, p_stock, p_product_hash);
    perform escrow.check_trader(p_seller_wallet, 'seller_wallet');

    insert into escrow.products as p (
        seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
    )
    values (
        p_seller_wallet, p_title_preview, p_description_preview, p_category, p_price_usdt, p_stock, p_product_hash
    )
    returning p.id into v_id;
    perform escrow.bust_products();
    return query select * from escrow.find_product(v_id);
end
$$;

comment on function escrow.create_product(
    gateway.wallet, text, text, escrow.product_category, numeric, text, integer
) is
'Lists a product for sale; without stock it is sold out from the beginning.
p_seller_wallet: who sells it. p_title_preview: 1 to 100 characters, none invisible and not all blank, for everybody to see. p_description_preview: at most 500 characters, for everybody to see. p_category: data, accounts, tools, services or other. p_price_usdt: in USDT, from 1 to below 1000000000000, with at most 6 decimals. p_product_hash: SHA-256 of what is sold, 0x and 64 hex digits. p_stock: how many there are, 0 to 1000000.
Returns the product.
Errors: 22023 for a malformed argument or a seller without a profile, 42501 (blacklisted) for a blacklisted seller.';

revoke all on function escrow.create_product(
    gateway.wallet, text, text, escrow.product_category, numeric, text, integer
) from public;
grant execute on function escrow.create_product(
    gateway.wallet, text, text, escrow.product_category, numeric, text, integer
) to aqm_wallet;

select gateway.expose('POST /v1/escrow/products', 'escrow.create_product', p_caller_argument => 'p_seller_wallet');
