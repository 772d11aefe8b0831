create or replace procedure ops.record_job_success(
    p_job text,
    p_count bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update ops.scheduled_job as j
    set last_success_at = clock_timestamp(), last_count = p_count, last_alarm_at = null, last_alarm = null
    where j.name = p_job;
end
$$;

comment on procedure ops.record_job_success is
'Records that a scheduled job has come to its end.
p_job: name of the job. p_count: what it did, in rows.
Errors: none.';

revoke all on procedure ops.record_job_success(text, bigint) from public;
grant execute on procedure ops.record_job_success(text, bigint) to aqm_jobs;
