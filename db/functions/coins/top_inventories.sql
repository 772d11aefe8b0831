create or replace function coins.top_inventories(
    p_limit integer default 10,
    out user_id uuid,
    out available bigint
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select ci.user_id, count(*) as available
    from coins.coin_inventory as ci
    where ci.fetched_by is null
    group by ci.user_id
    order by available desc, ci.user_id
    limit p_limit;
end
$$;

comment on function coins.top_inventories(integer) is
'Lists the users with the most unclaimed coins; reads the whole index of unclaimed coins.
p_limit: how many users.
Errors: 2201W for a negative limit.';

revoke all on function coins.top_inventories(integer) from public;
grant execute on function coins.top_inventories(integer) to aqm_monitor;
