create or replace function escrow.sync_order(
    p_chain escrow.chain_type,
    p_onchain_order_id bigint
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_status escrow.order_status := (escrow.find_chain_status(p_chain, p_onchain_order_id)).chain_status;
begin
    update escrow.orders as o
    set
        -- The number is free for whom the contract has it for; the next of these is never taken twice, as chains are locked.
        onchain_order_id = (
            select least(min(f.onchain_order_id), 0) - 1 from escrow.orders as f where f.chain = p_chain
        ),
        chain_status = 'expired'
    where
        o.chain = p_chain and o.onchain_order_id = p_onchain_order_id
        and escrow.is_false_order(p_chain, p_onchain_order_id, o.buyer_wallet, o.seller_wallet);

    -- Also where its status stays: another event of the same kind may name another canceller or transaction. Both are
    -- emptied, and guard_order() fills them in from events and steps, whatever came first.
    update escrow.orders as o
    set
        chain_status = v_status,
        cancelled_by = null,
        tx_hash_complete = null,
        (token, amount, platform_fee) = (
            select f.token, f.amount, f.platform_fee from escrow.follow_terms(o) as f
        )
    where o.chain = p_chain and o.onchain_order_id = p_onchain_order_id;
end
$$;

comment on function escrow.sync_order(escrow.chain_type, bigint) is
'Makes an order what the contract''s events say. One that the contract has between others, or of less than 1 USDT or USDC, or of another token, is false: it expires, gives its item back, counts for nobody, loses its reviews, and has a negative number from then on.
p_chain: whose contract; the caller has locked it. p_onchain_order_id: its number there, locked as well; a row may be missing.
Errors: none.';

revoke all on function escrow.sync_order(escrow.chain_type, bigint) from public;
