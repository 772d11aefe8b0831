create or replace function coins.inventory_by_category(
    out category text,
    out value bigint
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select cc.name::text, count(ci.user_id)
    from coins.coin_category as cc
    left join coins.coin_inventory as ci on ci.coin_category = cc.name and ci.fetched_by is null
    group by cc.name
    order by cc.name;
end
$$;

comment on function coins.inventory_by_category() is
'Counts all unclaimed coins, a row a category; reads the whole index of unclaimed coins.
Errors: none.';

revoke all on function coins.inventory_by_category() from public;
grant execute on function coins.inventory_by_category() to aqm_monitor, aqm_gateway;

select gateway.expose_metric('aqm_unclaimed_coins', 'coins.inventory_by_category');
