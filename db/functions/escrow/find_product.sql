create or replace function escrow.find_product(
    p_id uuid
)
returns setof escrow.product_view
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        p.id, p.seller_wallet::text, u.display_name::text, u.rating, p.title_preview::text, p.description_preview::text,
        p.category, p.price_usdt, p.stock, p.total_sold, p.product_hash::text, p.status, p.created_at, p.updated_at
    from escrow.products as p
    inner join escrow.user_profiles as u on u.wallet = p.seller_wallet
    where p.id = p_id and p.deleted_at is null and not u.is_blacklisted;
end
$$;

comment on function escrow.find_product(uuid) is
'Shows a product and its seller, also while it is paused or sold out.
p_id: which.
Returns the product; no row when there is none, it was deleted or its seller is blacklisted.
Errors: none.';

revoke all on function escrow.find_product(uuid) from public;
grant execute on function escrow.find_product(uuid) to aqm_anon, aqm_wallet, aqm_admin;

select gateway.expose(
    'GET /v1/escrow/products/{id}', 'escrow.find_product', p_may_use_replica => true, p_cache_seconds => 30
);
