create or replace function escrow.actor_of(
    p_order escrow.orders,
    p_wallet text
)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case
        when p_wallet = p_order.buyer_wallet then 'buyer'
        when p_wallet = p_order.seller_wallet then 'seller'
        -- A dispute that the contract took back may leave its arbitrator behind.
        when p_wallet = p_order.arbitrator_wallet and p_order.dispute_opened_at is not null then 'arbitrator'
    end;
end
$$;

comment on function escrow.actor_of(escrow.orders, text) is
'What somebody is in an order, in the words of order_transition.
p_order: the order. p_wallet: who.
Returns buyer, seller, or arbitrator for the assigned one of an order that is or was disputed; null: a stranger.
Errors: none.';

revoke all on function escrow.actor_of(escrow.orders, text) from public;
