create or replace function escrow.find_chain_cursor(
    p_chain escrow.chain_type
)
returns setof escrow.chain_cursor
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select c.chain, c.contract::text, c.last_block, c.updated_at
    from escrow.event_sync_cursor as c
    where c.chain = p_chain;
end
$$;

comment on function escrow.find_chain_cursor(escrow.chain_type) is
'Tells up to which block a chain has been read, and when something last came of it. Who follows the chain goes on at this very block, since events of it may be missing; those that are known change nothing.
p_chain: which.
Returns the cursor; no row when nothing has come.
Errors: none.';

revoke all on function escrow.find_chain_cursor(escrow.chain_type) from public;
grant execute on function escrow.find_chain_cursor(escrow.chain_type) to aqm_worker, aqm_admin;

select gateway.expose('GET /v1/escrow/chain/cursor', 'escrow.find_chain_cursor');
