create or replace function escrow.page_products(
    p_pattern text,
    p_category escrow.product_category,
    p_min_price numeric,
    p_max_price numeric,
    p_seller_wallet text,
    p_before timestamptz,
    p_before_id uuid,
    p_limit integer,
    p_depth integer,
    out ids uuid[],
    out is_cut boolean
)
returns record
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    -- Planned for its arguments each time, so that conditions on them alone are gone before it is planned.
    select
        coalesce(array_agg(f.id order by f.place) filter (where f.is_match), '{}'),
        coalesce(bool_or(f.place = p_depth), false)
    into ids, is_cut
    from (
        select r.id, r.place, r.is_match
        from (
            select
                n.id, n.created_at,
                (p_pattern is null or p_depth is null or n.preview ilike p_pattern)
                -- One that somebody listed while being shut out. Asked of matches alone, each by the primary key.
                and not (
                    select u.is_blacklisted from escrow.user_profiles as u where u.wallet = n.seller_wallet
                ) as is_match,
                row_number() over (order by n.created_at desc, n.id desc) as place
            from (
                select p.id, p.created_at, p.seller_wallet, p.title_preview || ' ' || p.description_preview as preview
                from escrow.products as p
                where
                    p.status = 'active'
                    and (
                        p_pattern is null or p_depth is not null
                        or (p.title_preview || ' ' || p.description_preview) ilike p_pattern
                    )
                    and (p_category is null or p.category = p_category)
                    and (p_min_price is null or p.price_usdt >= p_min_price)
                    and (p_max_price is null or p.price_usdt <= p_max_price)
                    and (p_seller_wallet is null or p.seller_wallet = p_seller_wallet)
                    and (p_before is null or (p.created_at, p.id) < (p_before, p_before_id))
                order by p.created_at desc, p.id desc
                limit p_depth
            ) as n
        ) as r
        where r.is_match or r.place = p_depth
        order by r.created_at desc, r.id desc
        limit p_limit
    ) as f;
end
$$;

comment on function escrow.page_products(
    text, escrow.product_category, numeric, numeric, text, timestamptz, uuid, integer, integer
) is
'A page of the products on sale, the newest first, found in one of two ways.
p_pattern: for ILIKE, over title and description; null: any. p_category, p_min_price, p_max_price, p_seller_wallet: null: any. p_before, p_before_id: creation and id of the last product of the page before; null: from the beginning. p_limit: at most so many. p_depth: the pattern is looked for among so many of the newest that fit otherwise; null: among all, a pattern by the index over the texts.
Returns their ids, and whether there may be products beyond the depth.
Errors: none.';

revoke all on function escrow.page_products(
    text, escrow.product_category, numeric, numeric, text, timestamptz, uuid, integer, integer
) from public;
