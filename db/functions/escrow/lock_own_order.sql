create or replace function escrow.lock_own_order(
    p_id uuid,
    p_wallet text
)
returns setof escrow.orders
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_order escrow.orders;
begin
    select o.* into v_order from escrow.orders as o where o.id = p_id for no key update;
    if escrow.actor_of(v_order, p_wallet) is null then
        return;
    end if;
    perform escrow.check_trader(p_wallet, 'wallet');
    return next v_order;
end
$$;

comment on function escrow.lock_own_order(uuid, text) is
'Locks an order for somebody who is going to add to it or to take a step.
p_id: which order. p_wallet: who.
Returns the order; no row when there is none, or it is none of theirs.
Errors: 42501 for a blacklisted wallet.';

revoke all on function escrow.lock_own_order(uuid, text) from public;
