create or replace procedure ops.record_job_alarm(
    p_job text,
    p_alarm text
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update ops.scheduled_job as j
    set last_alarm_at = clock_timestamp(), last_alarm = p_alarm
    where j.name = p_job;
end
$$;

comment on procedure ops.record_job_alarm is
'Records why the guard of a scheduled job stopped it.
p_job: name of the job. p_alarm: the reason, for an operator.
Errors: none.';

revoke all on procedure ops.record_job_alarm(text, text) from public;
grant execute on procedure ops.record_job_alarm(text, text) to aqm_jobs;
