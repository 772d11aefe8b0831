create or replace function escrow.take_step(
    p_id uuid,
    p_wallet gateway.wallet,
    p_to escrow.order_status,
    p_tx_hash text,
    p_product_key text default null
)
returns setof escrow.order_view
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_order escrow.orders;
    v_actor text;
    v_from escrow.order_status;
begin
    perform escrow.check_tx_hash(p_tx_hash);
    select o.* into v_order from escrow.lock_own_order(p_id, p_wallet) as o;
    if not found then
        return;
    end if;
    v_actor := escrow.actor_of(v_order, p_wallet);

    -- Who asks again, as the answer was lost, is told how things are.
    if not exists (
        select from escrow.order_step as s
        where
            s.order_id = p_id and s.to_status = p_to and s.wallet = p_wallet and s.tx_hash = lower(p_tx_hash)
            and s.from_status <> v_order.status
    ) then
        v_from := escrow.check_step(v_order, p_to, v_actor, p_wallet);
        insert into escrow.order_step (order_id, from_status, to_status, wallet, tx_hash)
        values (p_id, v_from, p_to, p_wallet, lower(p_tx_hash));
        update escrow.orders as o
        set
            status = p_to,
            product_key_encrypted = coalesce(p_product_key, o.product_key_encrypted),
            tx_hash_complete = case
                when escrow.is_trade(p_to) then coalesce(o.tx_hash_complete, lower(p_tx_hash))
                else o.tx_hash_complete
            end,
            cancelled_by = case when p_to = 'cancelled' then p_wallet else o.cancelled_by end
        where o.id = p_id;
        if v_actor = 'arbitrator' then
            perform escrow.score_arbitrator(p_wallet, true);
        end if;
    end if;
    return query select * from escrow.find_order(p_id, p_wallet);
end
$$;

comment on function escrow.take_step(uuid, gateway.wallet, escrow.order_status, text, text) is
'Takes one step over an order and notes it. The same step of the same transaction again changes nothing. Where the contract''s event was here first, the party''s step adds what the event does not tell.
p_id: which order. p_wallet: who takes it. p_to: the status after it. p_tx_hash: its transaction, 0x and 64 hex digits. p_product_key: the product''s key in base64; null: none.
Returns the order; no row when there is none, or it is none of theirs.
Errors: 22023 for a malformed hash, 42501 for a step that only another party may take, or a blacklisted wallet; PT409 (order_transition, dispute_deadline) for a step that nobody may take now.';

revoke all on function escrow.take_step(uuid, gateway.wallet, escrow.order_status, text, text) from public;
