create or replace function escrow.lock_chain(
    p_chain escrow.chain_type
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(format('escrow.lock_chain %s', p_chain), 0));
end
$$;

comment on function escrow.lock_chain(escrow.chain_type) is
'Makes events and roll-backs of a chain come one after the other, until the end of the transaction. Comes before all other locks.
p_chain: which.
Errors: none.';

revoke all on function escrow.lock_chain(escrow.chain_type) from public;
