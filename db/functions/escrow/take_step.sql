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
    v_is_late boolean;
begin
    perform escrow.check_tx_hash(p_tx_hash);
    select o.* into v_order from escrow.lock_own_order(p_id, p_wallet) as o;
    if not found then
        return;
    end if;
    v_actor := escrow.actor_of(v_order, p_wallet);

    -- Who asks again, as the answer was lost, is told how things are.
    if exists (
        select from escrow.order_step as s
        where
            s.order_id = p_id and s.to_status = p_to and s.wallet = p_wallet and s.tx_hash = lower(p_tx_hash)
            and s.from_status <> v_order.status
    ) then
        if p_product_key <> v_order.product_key_encrypted then
            raise exception using errcode = 'PT409', constraint = 'product_key',
                message = 'product_key_encrypted_b64 is not what this transaction came with before';
        end if;
    else
        -- The contract was faster, and perhaps the buyer: the key is still missing.
        v_is_late := p_product_key is not null and v_actor = 'seller' and v_order.product_key_encrypted is null
            and v_order.status in ('seller_confirmed', 'disputed', 'completed');
        v_from := case when v_is_late then 'created' else escrow.check_step(v_order, p_to, v_actor, p_wallet) end;
        insert into escrow.order_step (order_id, from_status, to_status, wallet, tx_hash)
        values (p_id, v_from, p_to, p_wallet, lower(p_tx_hash));
        update escrow.orders as o
        set
            status = case when v_is_late then o.status else p_to end,
            product_key_encrypted = coalesce(p_product_key, o.product_key_encrypted)
        where o.id = p_id;
        -- A dispute that the contract has not heard of may be invented, to raise somebody.
        if v_actor = 'arbitrator' and v_order.chain_status is not null then
            perform escrow.score_arbitrator(p_wallet, true);
        end if;
    end if;
    return query select * from escrow.find_order(p_id, p_wallet);
end
$$;

comment on function escrow.take_step(uuid, gateway.wallet, escrow.order_status, text, text) is
'Takes one step over an order and notes it. The same step of the same transaction again changes nothing. Where the contract''s event was here first, the party''s step adds what the event does not tell; the seller''s key may also come after the buyer''s next step.
p_id: which order. p_wallet: who takes it. p_to: the status after it. p_tx_hash: its transaction, 0x and 64 hex digits. p_product_key: the product''s key in base64; null: none.
Returns the order; no row when there is none, or it is none of theirs.
Errors: 22023 for a malformed hash, 42501 for a step that only another party may take, or a blacklisted wallet; PT409 (order_transition, dispute_deadline) for a step that nobody may take now, or (product_key) the same step with another key.';

revoke all on function escrow.take_step(uuid, gateway.wallet, escrow.order_status, text, text) from public;
