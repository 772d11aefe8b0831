create or replace function escrow.settle_stock(
    p_order escrow.orders,
    p_was escrow.order_status
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_sold integer := (p_order.status in ('completed', 'resolved_seller'))::integer
        - (p_was in ('completed', 'resolved_seller'))::integer;
    v_is_over boolean := p_order.status in ('cancelled', 'expired');
    v_back integer := 0;
    v_stock integer;
begin
    if v_sold = 0 and v_is_over = (p_was in ('cancelled', 'expired')) then
        return;
    end if;
    select p.stock into v_stock from escrow.products as p where p.id = p_order.product_id for no key update;
    if v_is_over and p_order.holds_item then
        v_back := 1;
    elsif not v_is_over and not p_order.holds_item and v_stock > 0 then
        -- The contract says that it lives after all, or it was paid for when none could be had.
        v_back := -1;
    end if;
    if v_back <> 0 then
        update escrow.orders as o set holds_item = v_back < 0 where o.id = p_order.id;
    end if;
    update escrow.products as p
    set stock = p.stock + v_back, total_sold = p.total_sold + v_sold, updated_at = now()
    where p.id = p_order.product_id;
    perform escrow.bust_products();
end
$$;

comment on function escrow.settle_stock(escrow.orders, escrow.order_status) is
'Gives the item of an order that is over back to its product, takes one for an order without that is revived or sold, where one is left, and counts what was sold.
p_order: as it is now. p_was: its status before.
Errors: none.';

revoke all on function escrow.settle_stock(escrow.orders, escrow.order_status) from public;
