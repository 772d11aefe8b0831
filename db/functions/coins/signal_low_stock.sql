create or replace function coins.signal_low_stock(
    p_user_id uuid,
    p_coin_category text,
    p_taken integer,
    p_low_stock integer
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_unclaimed bigint;
    v_untouched bigint;
begin
    -- A row with xmax is being claimed by somebody right now, or was by somebody who rolled back. Of claims that cross
    -- the threshold together, the last to look sees the marks of all others, so that one of them speaks.
    select count(*), count(*) filter (where ci.xmax = 0)
    into v_unclaimed, v_untouched
    from coins.coin_inventory as ci
    where ci.user_id = p_user_id and ci.coin_category = p_coin_category and ci.fetched_by is null;

    if v_untouched < p_low_stock and v_unclaimed + p_taken >= p_low_stock then
        perform pg_notify('coins_stock', p_user_id::text);
    end if;
end
$$;

comment on function coins.signal_low_stock(uuid, text, integer, integer) is
'Tells those who watch a user''s stock when a claim has just taken a category below its threshold: at least once a crossing.
p_user_id: whose coins. p_coin_category: GOLD, SILVER or BRONZE. p_taken: coins that the claim took. p_low_stock: the threshold.
Errors: none.';

revoke all on function coins.signal_low_stock(uuid, text, integer, integer) from public;
