create or replace function ops.cron_health()
returns setof ops.job_health
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        j.name,
        j.schedule,
        j.last_success_at,
        j.last_count,
        case
            when j.step is null then 'see cron.job_run_details in database ' || j.database_name
            when j.last_alarm is not null then 'alarm'
            when coalesce(j.last_success_at, j.scheduled_at) < now() - 2 * j.repeats_every then 'late'
            when j.last_success_at is null then 'waiting for the first run'
            else 'ok'
        end,
        j.last_alarm
    from ops.scheduled_job as j
    order by j.name;
end
$$;

comment on function ops.cron_health() is
'Tells of each scheduled job whether it does its work: late means no success for two intervals, alarm that its guard stopped it.
Returns a row a job; last_count is in rows.
Errors: none.';

revoke all on function ops.cron_health() from public;
grant execute on function ops.cron_health() to aqm_monitor;
