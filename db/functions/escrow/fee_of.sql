create or replace function escrow.fee_of(
    p_amount numeric
)
returns numeric
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Half a millionth goes up: round() of numeric.
    return round(p_amount * 0.02, 6);
end
$$;

comment on function escrow.fee_of(numeric) is
'The platform''s fee of an order: 2 % of its amount, rounded to six places (half away from zero).
p_amount: in USDT or USDC.
Errors: none.';

revoke all on function escrow.fee_of(numeric) from public;
