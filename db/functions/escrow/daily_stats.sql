create or replace function escrow.daily_stats(
    p_days integer default 30
)
returns setof escrow.day_stats
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    if (p_days between 1 and 365) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'days must be between 1 and 365';
    end if;

    return query
    select
        d.day,
        count(*),
        count(*) filter (where o.status = 'completed'),
        count(*) filter (where o.status in ('disputed', 'resolved_buyer', 'resolved_seller')),
        count(*) filter (where o.status = 'cancelled'),
        coalesce(sum(o.amount) filter (where o.status = 'completed'), 0),
        coalesce(sum(o.platform_fee) filter (where o.status = 'completed'), 0)
    from escrow.orders as o
    cross join lateral (select (o.created_at at time zone 'UTC')::date as day) as d
    where o.created_at > now() - make_interval(days => p_days)
    group by d.day
    order by d.day desc;
end
$$;

comment on function escrow.daily_stats(integer) is
'Counts what was ordered, by the day (UTC) on which it was.
p_days: of so many times 24 hours until now, 1 to 365; the first day is counted in part.
Returns the days on which something was ordered, the last first.
Errors: 22023 for an argument out of range.';

revoke all on function escrow.daily_stats(integer) from public;
grant execute on function escrow.daily_stats(integer) to aqm_admin;

select gateway.expose('GET /v1/escrow/stats/daily', 'escrow.daily_stats', 'days', p_may_use_replica => true);
