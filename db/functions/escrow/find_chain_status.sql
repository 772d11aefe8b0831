create or replace function escrow.find_chain_status(
    p_chain escrow.chain_type,
    p_onchain_order_id bigint,
    out chain_status escrow.order_status,
    out cancelled_by text,
    out tx_hash_complete text
)
returns record
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_onchain_order_id < 0 then
        -- Not cancelled: that would count against whoever had done it.
        chain_status := 'expired'::escrow.order_status;
        return;
    end if;
    select
        e.kind::escrow.order_status,
        case when e.kind = 'cancelled' then e.payload ->> 'by' end,
        case when escrow.is_trade(e.kind::escrow.order_status) then lower(e.payload ->> 'tx_hash') end
    into chain_status, cancelled_by, tx_hash_complete
    from escrow.chain_event as e
    where e.chain = p_chain and e.onchain_order_id = p_onchain_order_id
    order by e.block desc, e.log_index desc
    limit 1;
end
$$;

comment on function escrow.find_chain_status(escrow.chain_type, bigint) is
'What the contract''s last event says of an order.
p_chain: whose contract. p_onchain_order_id: its number there; a negative one, which a false order was given, is none of the contract''s: expired.
Returns its status, null when no event has come, who cancelled it and the transaction that completed it or ruled on it, as far as the event says.
Errors: none.';

revoke all on function escrow.find_chain_status(escrow.chain_type, bigint) from public;
