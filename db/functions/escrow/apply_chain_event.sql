create or replace function escrow.apply_chain_event(
    p_chain escrow.chain_type,
    p_contract gateway.wallet,
    p_block bigint,
    p_log_index integer,
    p_kind text,
    p_payload jsonb
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_payload jsonb;
    v_order_id bigint;
    v_wallet text;
begin
    if (p_log_index >= 0) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'log_index must be at least 0';
    end if;
    perform escrow.check_chain_event(p_kind, p_payload);
    v_payload := escrow.normalise_payload(p_payload);
    if p_kind in ('arbitrator_registered', 'arbitrator_withdrawn') then
        v_wallet := v_payload ->> 'wallet';
    else
        v_order_id := (v_payload ->> 'order_id')::bigint;
    end if;
    perform escrow.move_chain_cursor(p_chain, p_contract, p_block);

    insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, wallet, payload)
    values (p_chain, p_block, p_log_index, p_contract, p_kind, v_order_id, v_wallet, v_payload)
    on conflict do nothing;
    if not found then
        if not exists (
            select from escrow.chain_event as e
            where
                (e.chain, e.block, e.log_index) = (p_chain, p_block, p_log_index)
                and (lower(e.contract), e.kind) = (lower(p_contract), p_kind)
                and escrow.normalise_payload(e.payload) = v_payload
        ) then
            raise exception using errcode = 'PT409', message = 'another event is known at this place',
                constraint = 'chain_event', hint = 'after a re-organisation, roll the chain back first';
        end if;
        return;
    end if;
    if v_order_id is null then
        perform escrow.sync_arbitrator(v_wallet);
    else
        perform escrow.lock_onchain_order(p_chain, v_order_id);
        perform escrow.sync_order(p_chain, v_order_id);
    end if;
end
$$;

comment on function escrow.apply_chain_event(escrow.chain_type, gateway.wallet, bigint, integer, text, jsonb) is
'Takes in what a contract has said, once: the same event again, in whatever spelling, changes nothing but the cursor''s updated_at, and events may come in any order. The order or the arbitrator that it is about follows the last of its events, as soon as it is known here.
p_chain: where the contract is. p_contract: its address. p_block, p_log_index: where in the chain the event is. p_kind: an order''s new status, arbitrator_registered or arbitrator_withdrawn. p_payload: of an order {"order_id": its number in the contract, "buyer", "seller", "amount": in USDT, as a string with at most six decimals, "token": what was paid, "by": who cancelled it, "tx_hash"}, where all but the number may be missing; who it is between and what was paid is heard from the event created alone, wins over what the buyer has said, and makes an order between others, of less than 1 USDT or USDC or of anything else, a false one; of an arbitrator {"wallet", "stake_amount": in USDT, as a string, "stake_token"}. What else is in it is ignored.
Errors: 22023 for a malformed argument, PT409 (chain_event) when another event is known at this place: a re-organisation that was not rolled back.';

revoke all on function escrow.apply_chain_event(
    escrow.chain_type, gateway.wallet, bigint, integer, text, jsonb
) from public;
grant execute on function escrow.apply_chain_event(
    escrow.chain_type, gateway.wallet, bigint, integer, text, jsonb
) to aqm_worker, aqm_admin;

select gateway.expose('POST /v1/escrow/chain/events', 'escrow.apply_chain_event');
