create or replace function escrow.move_chain_cursor(
    p_chain escrow.chain_type,
    p_contract gateway.wallet,
    p_block bigint
)
returns setof escrow.chain_cursor
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_chain is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'chain must be given';
    elsif p_contract is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'contract must be given';
    elsif (p_block >= 0) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'block must be at least 0';
    end if;
    perform escrow.lock_chain(p_chain);
    insert into escrow.event_sync_cursor as c (chain, contract, last_block)
    values (p_chain, p_contract, p_block)
    on conflict (chain) do update set last_block = greatest(c.last_block, excluded.last_block), updated_at = now();
    return query select * from escrow.find_chain_cursor(p_chain);
end
$$;

comment on function escrow.move_chain_cursor(escrow.chain_type, gateway.wallet, bigint) is
'Notes up to which block a chain has been read, also where nothing of ours was in it: who follows a quiet chain is seen to be alive by the cursor''s updated_at, and goes on there.
p_chain: which. p_contract: whose events are followed; of the first call, later ones change nothing. p_block: read up to here.
Returns the cursor, which never moves back by this: escrow.roll_back_chain() does that.
Errors: 22023 for a malformed argument.';

revoke all on function escrow.move_chain_cursor(escrow.chain_type, gateway.wallet, bigint) from public;
grant execute on function escrow.move_chain_cursor(escrow.chain_type, gateway.wallet, bigint) to aqm_worker, aqm_admin;

select gateway.expose('PUT /v1/escrow/chain/cursor', 'escrow.move_chain_cursor');
