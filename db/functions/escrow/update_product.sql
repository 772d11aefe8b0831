create or replace function escrow.update_product(
    p_id uuid,
    p_seller_wallet gateway.wallet,
    p_title_preview text default null,
    p_description_preview text default null,
    p_category escrow.product_category default null,
    p_price_usdt numeric default null,
    p_stock integer default null,
    p_product_hash text default null,
    p_status escrow.product_status default null
)
returns setof escrow.product_view
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform escrow.check_product(p_title_preview, p_description_preview, p_price_usdt, p_stock, p_product_hash);
    if p_status not in ('active', 'paused') then
        raise exception using errcode = 'invalid_parameter_value', message = 'status must be active or paused';
    end if;
    if not escrow.lock_product(p_id, p_seller_wallet) then
        return;
    end if;

    if num_nonnulls(
        p_title_preview, p_description_preview, p_category, p_price_usdt, p_stock, p_product_hash, p_status
    ) > 0 then
        update escrow.products as p
        set
            title_preview = coalesce(p_title_preview, p.title_preview),
            description_preview = coalesce(p_description_preview, p.description_preview),
            category = coalesce(p_category, p.category),
            price_usdt = coalesce(p_price_usdt, p.price_usdt),
            stock = coalesce(p_stock, p.stock),
            product_hash = coalesce(p_product_hash, p.product_hash),
            status = coalesce(p_status, p.status),
            updated_at = now()
        where p.id = p_id;
        perform escrow.bust_products();
    end if;
    return query select * from escrow.find_product(p_id);
end
$$;

comment on function escrow.update_product(
    uuid, gateway.wallet, text, text, escrow.product_category, numeric, integer, text, escrow.product_status
) is
'Changes a product; what is null stays as it is. Orders that were made before keep their amount. An active product is sold out while its stock is 0.
p_id: which. p_seller_wallet: its seller. p_title_preview: 1 to 100 characters, none invisible and not all blank. p_description_preview: at most 500 characters. p_category: data, accounts, tools, services or other. p_price_usdt: in USDT, from 1 to below 1000000000000, with at most 6 decimals. p_stock: how many are left from now on, 0 to 1000000; those in open orders are not among them. p_product_hash: SHA-256 of what is sold, 0x and 64 hex digits. p_status: active or paused.
Returns the product; no row when there is none.
Errors: 22023 for a malformed argument or a seller without a profile, 42501 for somebody else''s product (not_seller) or a blacklisted seller (blacklisted).';

revoke all on function escrow.update_product(
    uuid, gateway.wallet, text, text, escrow.product_category, numeric, integer, text, escrow.product_status
) from public;
grant execute on function escrow.update_product(
    uuid, gateway.wallet, text, text, escrow.product_category, numeric, integer, text, escrow.product_status
) to aqm_wallet;

select gateway.expose('PUT /v1/escrow/products/{id}', 'escrow.update_product', p_caller_argument => 'p_seller_wallet');
