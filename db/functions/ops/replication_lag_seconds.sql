create or replace function ops.replication_lag_seconds(
    out replica text,
    out value double precision
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select r.replica, coalesce(r.seconds_behind, 0)
    from ops.replication_lag() as r;
end
$$;

comment on function ops.replication_lag_seconds() is
'How far each replica is behind, in seconds; no row where there is none.
Errors: none.';

revoke all on function ops.replication_lag_seconds() from public;
grant execute on function ops.replication_lag_seconds() to aqm_monitor, aqm_gateway;

select gateway.expose_metric('aqm_replication_lag_seconds', 'ops.replication_lag_seconds');
