create or replace function escrow.tier_of(
    p_total_trades integer,
    p_rating numeric
)
returns escrow.user_tier
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (case
        when p_total_trades >= 100 and p_rating >= 4.0 then 'trusted'
        when p_total_trades >= 10 then 'standard'
        else 'new'
    end)::escrow.user_tier;
end
$$;

comment on function escrow.tier_of(integer, numeric) is
'The tier of somebody: new below 10 trades, trusted from 100 with a rating of 4.0, else standard.
p_total_trades: how many. p_rating: mean of the reviews; null: there are none.
Errors: none.';

revoke all on function escrow.tier_of(integer, numeric) from public;
