create or replace function escrow.trade_score(
    p_status escrow.order_status,
    p_is_seller boolean,
    p_is_canceller boolean
)
returns numeric
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case p_status
        when 'completed' then 1
        -- A trade, and a dispute won or lost.
        when 'resolved_buyer' then case when p_is_seller then 1 - 3 else 1 + 1 end
        when 'resolved_seller' then case when p_is_seller then 1 + 1 else 1 - 3 end
        when 'cancelled' then
            case when not coalesce(p_is_canceller, false) then 0 when p_is_seller then -2 else -0.5 end
        else 0
    end;
end
$$;

comment on function escrow.trade_score(escrow.order_status, boolean, boolean) is
'What an order counts in the reputation of one of its parties: 1 a trade, 1 more for a dispute that was won, 3 less for one that was lost; cancelling costs a seller 2 and a buyer 0.5.
p_status: of the order. p_is_seller: the party is the seller. p_is_canceller: the party cancelled it; null: nobody knows who did.
Errors: none.';

revoke all on function escrow.trade_score(escrow.order_status, boolean, boolean) from public;
