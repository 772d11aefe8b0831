create or replace function escrow.dispute_order(
    p_id uuid,
    p_wallet gateway.wallet,
    p_tx_hash text
)
returns setof escrow.order_view
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query select * from escrow.take_step(p_id, p_wallet, 'disputed', p_tx_hash);
end
$$;

comment on function escrow.dispute_order(uuid, gateway.wallet, text) is
'Opens a dispute over an order that the seller has confirmed; an arbitrator without a conflict of interest is chosen, if there is one, and has 72 hours. The same step of the same transaction again changes nothing.
p_id: which order. p_wallet: a party of it. p_tx_hash: the contract''s transaction, 0x and 64 hex digits.
Returns the order; no row when there is none, or it is none of theirs.
Errors: 22023 for a malformed hash; 42501 for anybody else of the order, or a blacklisted wallet; PT409 (order_transition) when it is not seller_confirmed.';

revoke all on function escrow.dispute_order(uuid, gateway.wallet, text) from public;
grant execute on function escrow.dispute_order(uuid, gateway.wallet, text) to aqm_wallet;

select gateway.expose(
    'POST /v1/escrow/orders/{id}/dispute', 'escrow.dispute_order', p_caller_argument => 'p_wallet'
);
