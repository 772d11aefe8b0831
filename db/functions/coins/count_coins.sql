create or replace function coins.count_coins(
    p_user_id uuid
)
returns setof coins.coin_count
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        count(*) filter (where ci.coin_category = 'GOLD'),
        count(*) filter (where ci.coin_category = 'SILVER'),
        count(*) filter (where ci.coin_category = 'BRONZE')
    from coins.coin_inventory as ci
    where ci.user_id = p_user_id and ci.fetched_by is null;
end
$$;

comment on function coins.count_coins(uuid) is
'Counts a user''s unclaimed coins, so that the device knows when to mint.
p_user_id: whose coins.
Returns one row with all three categories; an unknown user has none.
Errors: none.';

revoke all on function coins.count_coins(uuid) from public;
grant execute on function coins.count_coins(uuid) to aqm_device;

select gateway.expose(
    'GET /v1/coins/count',
    'coins.count_coins',
    p_caller_argument => 'p_user_id',
    p_may_use_replica => true
);
