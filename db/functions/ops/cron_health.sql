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
            -- What runs once a month must not fail unseen for two.
            when
                coalesce(j.last_success_at, j.scheduled_at)
                < now() - j.repeats_every - least(j.repeats_every, interval '1 day')
                then 'late'
            when j.last_success_at is null then 'waiting for the first run'
            else 'ok'
        end,
        j.last_alarm
    from ops.scheduled_job as j
    order by j.name;
end
$$;

comment on function ops.cron_health() is
'Tells of each scheduled job whether it does its work: late means no success for an interval and another, or a day if that is less, be it that the last run failed or that there was none; alarm that its guard stopped it.
Returns a row a job; last_count is in rows.
Errors: none.';

revoke all on function ops.cron_health() from public;
grant execute on function ops.cron_health() to aqm_monitor;
