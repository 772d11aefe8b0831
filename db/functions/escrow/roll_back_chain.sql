create or replace function escrow.roll_back_chain(
    p_chain escrow.chain_type,
    p_block bigint
)
returns setof escrow.chain_cursor
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_below bigint;
    v_order_ids bigint[];
    v_order_id bigint;
    v_wallet text;
    v_wallets text[];
begin
    if p_chain is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'chain must be given';
    elsif (p_block >= 0) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'block must be at least 0';
    end if;
    perform escrow.lock_chain(p_chain);
    select c.last_block - p_block into v_below from escrow.find_chain_cursor(p_chain) as c;
    if v_below > 10000 then
        raise exception using errcode = 'invalid_parameter_value',
            message = format('block is %s below the cursor, more than 10000', v_below),
            hint = 'no re-organisation is that deep; if it is meant, go back in steps of at most 10000 blocks';
    end if;
    select
        array_agg(distinct e.onchain_order_id) filter (where e.onchain_order_id is not null),
        array_agg(distinct e.wallet) filter (where e.wallet is not null)
    into v_order_ids, v_wallets
    from escrow.chain_event as e
    where e.chain = p_chain and e.block > p_block;
    v_order_ids := coalesce(v_order_ids, '{}');
    perform escrow.lock_onchain_orders(p_chain, v_order_ids);

    delete from escrow.chain_event as e where e.chain = p_chain and e.block > p_block;
    foreach v_order_id in array v_order_ids loop
        perform escrow.sync_order(p_chain, v_order_id);
    end loop;
    foreach v_wallet in array coalesce(v_wallets, '{}') loop
        perform escrow.sync_arbitrator(v_wallet);
    end loop;
    update escrow.event_sync_cursor as c set last_block = least(c.last_block, p_block), updated_at = now()
    where c.chain = p_chain;
    return query select * from escrow.find_chain_cursor(p_chain);
end
$$;

comment on function escrow.roll_back_chain(escrow.chain_type, bigint) is
'Takes back what a chain said after a block, for a re-organisation: orders and arbitrators are what its remaining events and their own steps make them.
p_chain: which. p_block: the last block that stays, at most 10,000 below the cursor, as a slip would wipe the chain; who means more goes back in steps.
Returns the cursor, which never moves forward by this; no row when nothing of the chain has ever come.
Errors: 22023 for an argument out of range.';

revoke all on function escrow.roll_back_chain(escrow.chain_type, bigint) from public;
grant execute on function escrow.roll_back_chain(escrow.chain_type, bigint) to aqm_worker, aqm_admin;

select gateway.expose('POST /v1/escrow/chain/rollback', 'escrow.roll_back_chain');
