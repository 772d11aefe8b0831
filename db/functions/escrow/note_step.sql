create or replace function escrow.note_step(
    p_order escrow.orders,
    p_was escrow.order_status
)
returns escrow.orders
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_canceller text;
    v_tx_hash text;
    v_step escrow.order_step;
begin
    if p_order.status <> p_was then
        p_order.seller_confirmed_at := case
            when escrow.is_reachable('seller_confirmed', p_order.status) then coalesce(p_order.seller_confirmed_at, now())
        end;
        p_order.dispute_opened_at := case
            when escrow.is_reachable('disputed', p_order.status) then coalesce(p_order.dispute_opened_at, now())
        end;
        p_order.dispute_deadline := case
            when escrow.is_reachable('disputed', p_order.status)
                then coalesce(p_order.dispute_deadline, now() + interval '72 hours')
        end;
        p_order.completed_at := case when escrow.is_trade(p_order.status) then now() end;
        if p_order.status = 'disputed' and p_order.arbitrator_wallet is null then
            p_order.arbitrator_wallet := escrow.choose_arbitrator(p_order.buyer_wallet, p_order.seller_wallet);
        end if;
    end if;
    if p_order.status = 'cancelled' or escrow.is_trade(p_order.status) then
        select c.cancelled_by, c.tx_hash_complete into v_canceller, v_tx_hash
        from escrow.find_chain_status(p_order.chain, p_order.onchain_order_id) as c;
        select s.* into v_step
        from escrow.order_step as s
        where s.order_id = p_order.id and s.to_status = p_order.status
        order by s.place desc
        limit 1;
    end if;
    -- The contract's word before the party's, which comes back when the contract's is taken back.
    p_order.tx_hash_complete := case
        when escrow.is_trade(p_order.status) then coalesce(v_tx_hash, v_step.tx_hash, p_order.tx_hash_complete)
    end;
    p_order.cancelled_by := case
        when p_order.status = 'cancelled' then coalesce(
            case lower(v_canceller)
                when lower(p_order.buyer_wallet) then p_order.buyer_wallet
                when lower(p_order.seller_wallet) then p_order.seller_wallet
            end,
            v_step.wallet,
            p_order.cancelled_by
        )
        when p_order.status = p_was then p_order.cancelled_by
    end;
    return p_order;
end
$$;

comment on function escrow.note_step(escrow.orders, escrow.order_status) is
'Fills in what goes with an order''s new status: times, the arbitrator of a dispute, who cancelled it, the transaction that completed it.
p_order: with its new status. p_was: its status before.
Returns the order, not yet written.
Errors: none.';

revoke all on function escrow.note_step(escrow.orders, escrow.order_status) from public;
