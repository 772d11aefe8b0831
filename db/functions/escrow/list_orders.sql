create or replace function escrow.list_orders(
    p_wallet gateway.wallet,
    p_status escrow.order_status default null,
    p_after uuid default null,
    p_limit integer default 50
)
returns setof escrow.order_view
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_statuses escrow.order_status[] := array[p_status];
    v_before timestamptz := 'infinity'::timestamptz;
begin
    perform escrow.check_page(p_limit);
    if p_status is null then
        v_statuses := enum_range(null::escrow.order_status);
    end if;
    if p_after is not null then
        select o.created_at into v_before
        from escrow.orders as o
        where o.id = p_after and escrow.actor_of(o, p_wallet) is not null;
        if not found then
            raise exception using errcode = 'invalid_parameter_value', message = 'after must be an order of one''s own';
        end if;
    end if;

    -- One short walk along an index for each status and role: whoever has 100,000 orders waits no longer.
    return query
    with page as materialized (
        select mine.id
        from (
            select own.id, own.created_at
            from unnest(v_statuses) as s (status)
            cross join lateral (
                select o.id, o.created_at
                from escrow.orders as o
                where
                    o.buyer_wallet = p_wallet and o.status = s.status
                    and (p_after is null or (o.created_at, o.id) < (v_before, p_after))
                order by o.created_at desc, o.id desc
                limit p_limit
            ) as own
            union
            select own.id, own.created_at
            from unnest(v_statuses) as s (status)
            cross join lateral (
                select o.id, o.created_at
                from escrow.orders as o
                where
                    o.seller_wallet = p_wallet and o.status = s.status
                    and (p_after is null or (o.created_at, o.id) < (v_before, p_after))
                order by o.created_at desc, o.id desc
                limit p_limit
            ) as own
            union
            select own.id, own.created_at
            from unnest(v_statuses) as s (status)
            cross join lateral (
                select o.id, o.created_at
                from escrow.orders as o
                where
                    o.arbitrator_wallet = p_wallet and o.status = s.status and o.dispute_opened_at is not null
                    and (p_after is null or (o.created_at, o.id) < (v_before, p_after))
                order by o.created_at desc, o.id desc
                limit p_limit
            ) as own
        ) as mine
        order by mine.created_at desc, mine.id desc
        limit p_limit
    )

    select v.*
    from page as p
    inner join escrow.orders as o on o.id = p.id
    cross join lateral escrow.order_as_view(o) as v
    order by o.created_at desc, o.id desc;
end
$$;

comment on function escrow.list_orders(gateway.wallet, escrow.order_status, uuid, integer) is
'Lists one''s own orders, as buyer, as seller, and as arbitrator those that are or were disputed, a page at a time.
p_wallet: whose. p_status: only of this status; null: of all. p_after: the last id of the page before; null: from the newest. p_limit: 1 to 100.
Returns orders, the newest first.
Errors: 22023 for a limit out of range, or an after that is no order of theirs.';

revoke all on function escrow.list_orders(gateway.wallet, escrow.order_status, uuid, integer) from public;
grant execute on function escrow.list_orders(gateway.wallet, escrow.order_status, uuid, integer)
to aqm_wallet, aqm_admin;

select gateway.expose('GET /v1/escrow/orders', 'escrow.list_orders', 'orders', p_caller_argument => 'p_wallet');
