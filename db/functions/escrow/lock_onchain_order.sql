create or replace function escrow.lock_onchain_order(
    p_chain escrow.chain_type,
    p_onchain_order_id bigint
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_advisory_xact_lock(
        hashtextextended(format('escrow.lock_onchain_order %s %s', p_chain, p_onchain_order_id), 0)
    );
end
$$;

comment on function escrow.lock_onchain_order(escrow.chain_type, bigint) is
'Makes who writes events of an order and who makes its row wait for each other, until the end of the transaction: else neither would see what the other is about to write. Comes before all locks of rows: orders, then products, then profiles, then arbitrators.
p_chain: whose contract. p_onchain_order_id: its number there.
Errors: none.';

revoke all on function escrow.lock_onchain_order(escrow.chain_type, bigint) from public;
