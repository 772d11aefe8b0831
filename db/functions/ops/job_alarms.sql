create or replace function ops.job_alarms(
    out scheduled_job text,
    out value integer
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select h.job, (h.status in ('late', 'alarm'))::integer
    from ops.cron_health() as h;
end
$$;

comment on function ops.job_alarms() is
'1 for a scheduled job that is late or was stopped by its guard, else 0.
Errors: none.';

revoke all on function ops.job_alarms() from public;
grant execute on function ops.job_alarms() to aqm_monitor, aqm_gateway;

select gateway.expose_metric('aqm_job_alarm', 'ops.job_alarms');
