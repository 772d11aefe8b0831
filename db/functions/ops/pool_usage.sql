create or replace function ops.pool_usage(
    out role_name text,
    out connections bigint,
    out active bigint,
    out idle bigint,
    out idle_in_transaction bigint,
    out waiting_for_lock bigint,
    out oldest_transaction interval,
    out percent_of_server numeric
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        a.usename::text,
        count(*),
        count(*) filter (where a.state = 'active'),
        count(*) filter (where a.state = 'idle'),
        count(*) filter (where a.state like 'idle in transaction%'),
        count(*) filter (where a.wait_event_type = 'Lock'),
        max(clock_timestamp() - a.xact_start),
        round(100.0 * count(*) / current_setting('max_connections')::integer, 1)
    from pg_stat_activity as a
    where a.backend_type = 'client backend'
    group by a.usename
    order by count(*) desc, a.usename;
end
$$;

comment on function ops.pool_usage() is
'Shows the connections of each role and their share of max_connections. Alert when the sum is above 80 percent.
Errors: none.';

revoke all on function ops.pool_usage() from public;
grant execute on function ops.pool_usage() to aqm_monitor;
