create or replace function gateway.list_metrics(
    out name text,
    out function_name text,
    out comment text
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select m.name, m.function_name, obj_description(m.function_name::regproc, 'pg_proc')
    from gateway.metric as m
    order by m.name;
end
$$;

comment on function gateway.list_metrics() is
'Lists the functions whose rows the gateway shows as Prometheus gauges.
Errors: 42883 when a metric''s function is gone.';

revoke all on function gateway.list_metrics() from public;
grant execute on function gateway.list_metrics() to aqm_gateway, aqm_monitor;
