create or replace function escrow.follow_terms(
    p_order escrow.orders
)
returns escrow.orders
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_terms record;
begin
    v_terms := escrow.find_terms(p_order.chain, p_order.onchain_order_id);
    if v_terms.token = any(enum_range(null::escrow.token_type)::text[]) then
        p_order.token := v_terms.token::escrow.token_type;
    end if;
    if v_terms.amount is not null then
        p_order.amount := v_terms.amount;
        p_order.platform_fee := escrow.fee_of(v_terms.amount);
    end if;
    return p_order;
end
$$;

comment on function escrow.follow_terms(escrow.orders) is
'Makes an order one of what the contract was paid.
p_order: as it is.
Returns the order, not yet written: what the contract does not say stays.
Errors: none.';

revoke all on function escrow.follow_terms(escrow.orders) from public;
