create or replace function escrow.find_order(
    p_id uuid,
    p_wallet gateway.wallet
)
returns setof escrow.order_view
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select v.*
    from escrow.orders as o
    cross join lateral escrow.order_as_view(o) as v
    where o.id = p_id and escrow.actor_of(o, p_wallet) is not null;
end
$$;

comment on function escrow.find_order(uuid, gateway.wallet) is
'Shows an order to its parties, and to the arbitrator of one that is or was disputed.
p_id: which order. p_wallet: who asks.
Returns the order; no row when there is none, or it is none of theirs.
Errors: none.';

revoke all on function escrow.find_order(uuid, gateway.wallet) from public;
grant execute on function escrow.find_order(uuid, gateway.wallet) to aqm_wallet, aqm_admin;

select gateway.expose('GET /v1/escrow/orders/{id}', 'escrow.find_order', p_caller_argument => 'p_wallet');
