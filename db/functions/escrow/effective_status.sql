create or replace function escrow.effective_status(
    p_party_status escrow.order_status,
    p_chain_status escrow.order_status
)
returns escrow.order_status
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- The contract may be behind the parties, whose steps reach it later; where it went another way, it wins.
    if p_chain_status is null or escrow.is_reachable(p_chain_status, p_party_status) then
        return p_party_status;
    end if;
    return p_chain_status;
end
$$;

comment on function escrow.effective_status(escrow.order_status, escrow.order_status) is
'The status of an order by the steps of its parties and by its contract.
p_party_status: where the parties and time have brought it. p_chain_status: what the contract''s last event says; null: none has come.
Returns the status. It depends on nothing else, so that events may come in any order, twice, or be taken back.
Errors: none.';

revoke all on function escrow.effective_status(escrow.order_status, escrow.order_status) from public;
