create or replace procedure ops.run_until_done(
    p_job text
)
language plpgsql
as $$
declare
    v_job record;
    v_alarm text;
    v_done bigint;
    v_total bigint := 0;
begin
    -- Guard and step are SQL text by design: only function files write them, and no role may touch the table.
    -- @plpgsql_check_options: security_warnings = off
    select j.step, j.guard into v_job from ops.find_job(p_job) as j;
    if not found then
        raise exception using errcode = 'invalid_parameter_value',
            message = format('there is no job %s with a step', p_job);
    end if;
    if v_job.guard is not null then
        execute format('select %s', v_job.guard) into v_alarm;
    end if;
    if v_alarm is not null then
        call ops.record_job_alarm(p_job, v_alarm);
        commit;
        raise exception using errcode = 'PT409', message = format('job %s was stopped: %s', p_job, v_alarm);
    end if;

    loop
        execute format('select %s', v_job.step) into v_done;
        commit;
        -- A step that answers nothing has done nothing; it must not be asked for ever.
        exit when coalesce(v_done, 0) <= 0;
        v_total := v_total + v_done;
    end loop;
    call ops.record_job_success(p_job, v_total);
end
$$;

comment on procedure ops.run_until_done is
'Runs a scheduled job: its guard once, then its step again and again with a COMMIT between, until a step has nothing to do. Can''t run inside a transaction.
p_job: name of a job with a step.
Errors: 22023 for an unknown job or one without a step; 2D000 inside a transaction; PT409 when the guard stops it (recorded first, see ops.cron_health()); whatever the step raises.';

revoke all on procedure ops.run_until_done(text) from public;
grant execute on procedure ops.run_until_done(text) to aqm_jobs;
