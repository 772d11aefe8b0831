create or replace function escrow.list_own_products(
    p_seller_wallet gateway.wallet,
    p_status escrow.product_status default null,
    p_after uuid default null,
    p_limit integer default 20
)
returns setof escrow.product_view
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_before timestamptz;
begin
    perform escrow.check_page(p_limit);
    if p_after is not null then
        select p.created_at into v_before
        from escrow.products as p
        where p.id = p_after and p.seller_wallet = p_seller_wallet;
        if not found then
            raise exception using errcode = 'invalid_parameter_value',
                message = 'after must be a product of one''s own';
        end if;
    end if;

    return query
    select
        p.id, p.seller_wallet::text, u.display_name::text, u.rating, p.title_preview::text, p.description_preview::text,
        p.category, p.price_usdt, p.stock, p.total_sold, p.product_hash::text, p.status, p.created_at, p.updated_at
    from escrow.products as p
    inner join escrow.user_profiles as u on u.wallet = p.seller_wallet
    where
        p.seller_wallet = p_seller_wallet
        and p.deleted_at is null
        and (p_status is null or p.status = p_status)
        and (p_after is null or (p.created_at, p.id) < (v_before, p_after))
    order by p.created_at desc, p.id desc
    limit p_limit;
end
$$;

comment on function escrow.list_own_products(gateway.wallet, escrow.product_status, uuid, integer) is
'Lists what somebody sells, also what is paused or sold out, a page at a time.
p_seller_wallet: who. p_status: only of this status; null: of all but deleted. p_after: the last id of the page before; null: from the newest. p_limit: 1 to 100.
Returns products, the newest first.
Errors: 22023 for a limit out of range, or an after that is no product of theirs.';

revoke all on function escrow.list_own_products(gateway.wallet, escrow.product_status, uuid, integer) from public;
grant execute on function escrow.list_own_products(gateway.wallet, escrow.product_status, uuid, integer) to aqm_wallet;

select gateway.expose(
    'GET /v1/escrow/profile/products', 'escrow.list_own_products', 'products', p_caller_argument => 'p_seller_wallet'
);
