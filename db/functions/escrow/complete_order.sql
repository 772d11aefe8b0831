create or replace function escrow.complete_order(
    p_id uuid,
    p_buyer_wallet gateway.wallet,
    p_tx_hash text
)
returns setof escrow.order_view
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query select * from escrow.take_step(p_id, p_buyer_wallet, 'completed', p_tx_hash);
end
$$;

comment on function escrow.complete_order(uuid, gateway.wallet, text) is
'Confirms that what was bought has come; the seller has their money. The same step of the same transaction again changes nothing.
p_id: which order. p_buyer_wallet: who bought it. p_tx_hash: the contract''s transaction, 0x and 64 hex digits.
Returns the order; no row when there is none, or it is none of theirs.
Errors: 22023 for a malformed hash; 42501 for anybody else of the order, or a blacklisted wallet; PT409 (order_transition) when it is not seller_confirmed.';

revoke all on function escrow.complete_order(uuid, gateway.wallet, text) from public;
grant execute on function escrow.complete_order(uuid, gateway.wallet, text) to aqm_wallet;

select gateway.expose(
    'POST /v1/escrow/orders/{id}/complete', 'escrow.complete_order', p_caller_argument => 'p_buyer_wallet'
);
