create or replace function coins.coin_status(
    p_user_id uuid
)
returns setof coins.inventory_status
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        c.gold,
        c.silver,
        c.bronze,
        (select e.number from coins.epoch as e),
        array(
            select lr.coin_category::text from coins.last_resort_coin as lr
            where lr.user_id = p_user_id
            order by lr.coin_category
        ),
        (
            select (
                max(cc.low_stock) filter (where cc.name = 'GOLD'),
                max(cc.low_stock) filter (where cc.name = 'SILVER'),
                max(cc.low_stock) filter (where cc.name = 'BRONZE')
            )::coins.coin_count
            from coins.coin_category as cc
        )
    from coins.count_coins(p_user_id) as c;
end
$$;

comment on function coins.coin_status(uuid) is
'Says what a device wants to know before it mints: its coins, the epoch, its last-resort coins and the thresholds of low stock.
p_user_id: whose coins.
Returns one row.
Errors: none.';

revoke all on function coins.coin_status(uuid) from public;
grant execute on function coins.coin_status(uuid) to aqm_device;

select gateway.expose(
    'GET /v1/coins/status',
    'coins.coin_status',
    p_caller_argument => 'p_user_id'
);
