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
as $$
declare
    v_before timestamptz := 'infinity'::timestamptz;
begin
    perform escrow.check_page(p_limit);
    if p_after is not null then
        select o.created_at into v_before
        from escrow.orders as o
        where o.id = p_after and escrow.actor_of(o, p_wallet) is not null;
        if not found then
            raise exception using errcode = 'invalid_parameter_value', message = 'after must be an order of one''s own';
        end if;
    end if;

    return query
    select v.*
    from unnest(escrow.page_orders(p_wallet, p_status, v_before, p_after, p_limit)) with ordinality as page (id, place)
    inner join escrow.orders as o on o.id = page.id
    cross join lateral escrow.order_as_view(o) as v
    order by page.place;
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
