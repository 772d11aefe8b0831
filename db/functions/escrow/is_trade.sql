create or replace function escrow.is_trade(
    p_status escrow.order_status
)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_status in ('completed', 'resolved_buyer', 'resolved_seller');
end
$$;

comment on function escrow.is_trade(escrow.order_status) is
'Whether an order of this status counts as a trade, and may be reviewed.
p_status: of the order.
Errors: none.';

revoke all on function escrow.is_trade(escrow.order_status) from public;
