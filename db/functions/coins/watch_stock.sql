create or replace function coins.watch_stock(
    p_user_id uuid
)
returns setof coins.stock_event
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select 'epoch', null::text, null::bigint, null::integer, e.number
    from coins.epoch as e
    union all
    select 'low_stock', cc.name::text, stock.unclaimed, cc.low_stock, null::bigint
    from coins.coin_category as cc
    cross join lateral (
        select count(*) as unclaimed from coins.coin_inventory as ci
        where ci.user_id = p_user_id and ci.coin_category = cc.name and ci.fetched_by is null
    ) as stock
    where stock.unclaimed < cc.low_stock;
end
$$;

comment on function coins.watch_stock(uuid) is
'Says what a device must know of its stock right now; told again whenever a claim takes a category below its threshold or the epoch rises.
p_user_id: whose coins.
Returns an event "epoch" and an event "low_stock" for each category below its threshold.
Errors: none.';

revoke all on function coins.watch_stock(uuid) from public;
grant execute on function coins.watch_stock(uuid) to aqm_device;

select gateway.expose_stream(
    'GET /v1/coins/watch',
    'coins.watch_stock',
    p_channel => 'coins_stock',
    p_caller_argument => 'p_user_id'
);
