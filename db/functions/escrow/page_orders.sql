create or replace function escrow.page_orders(
    p_wallet text,
    p_status escrow.order_status,
    p_before timestamptz,
    p_before_id uuid,
    p_limit integer
)
returns uuid[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    -- One short walk along an index for each status and role: whoever has 100,000 orders waits no longer.
    return array(
        select mine.id
        from unnest(case when p_status is null then enum_range(null::escrow.order_status) else array[p_status] end) as s (status)
        cross join lateral (
            (
                select o.id, o.created_at
                from escrow.orders as o
                where
                    o.buyer_wallet = p_wallet and o.status = s.status
                    and (o.created_at, o.id) < (p_before, p_before_id)
                order by o.created_at desc, o.id desc
                limit p_limit
            )
            union
            (
                select o.id, o.created_at
                from escrow.orders as o
                where
                    o.seller_wallet = p_wallet and o.status = s.status
                    and (o.created_at, o.id) < (p_before, p_before_id)
                order by o.created_at desc, o.id desc
                limit p_limit
            )
            union
            (
                select o.id, o.created_at
                from escrow.orders as o
                where
                    o.arbitrator_wallet = p_wallet and o.status = s.status and o.dispute_opened_at is not null
                    and (o.created_at, o.id) < (p_before, p_before_id)
                order by o.created_at desc, o.id desc
                limit p_limit
            )
        ) as mine
        order by mine.created_at desc, mine.id desc
        limit p_limit
    );
end
$$;

comment on function escrow.page_orders(text, escrow.order_status, timestamptz, uuid, integer) is
'A page of somebody''s orders, the newest first: as buyer, as seller, and as arbitrator those that are or were disputed.
p_wallet: whose. p_status: only of this status; null: of all. p_before, p_before_id: creation and id of the last order of the page before; infinity and null: from the newest. p_limit: at most so many.
Returns their ids.
Errors: none.';

revoke all on function escrow.page_orders(text, escrow.order_status, timestamptz, uuid, integer) from public;
