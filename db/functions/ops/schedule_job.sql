create or replace function ops.schedule_job(
    p_name text,
    p_schedule text,
    p_repeats_every interval,
    p_step text default null,
    p_guard text default null,
    p_command text default null,
    p_database text default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_part text := '(\*|[0-9]{1,2}(-[0-9]{1,2})?)(/[0-9]{1,2})?';
begin
    -- pg_cron 1.4 knows minutes, not seconds, and ignores whatever follows the fifth field.
    if (p_schedule ~ format('^(%1$s(,%1$s)*)( %1$s(,%1$s)*){4}$', v_part)) is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = format('schedule of job %s must have five cron fields', p_name);
    elsif exists (
        select from regexp_split_to_table(p_schedule, ' ') with ordinality as f (field, place)
        cross join lateral regexp_matches(f.field, '[0-9]+', 'g') as m (numbers)
        where m.numbers[1]::integer > (array[59, 23, 31, 12, 7])[f.place]
    ) then
        raise exception using errcode = 'invalid_parameter_value',
            message = format('schedule of job %s has a number out of range', p_name);
    elsif (p_repeats_every > interval '0') is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = format('repeats_every of job %s must be above zero', p_name);
    elsif num_nonnulls(p_step, p_command) <> 1 or num_nonnulls(p_guard, p_command) > 1 then
        raise exception using errcode = 'invalid_parameter_value',
            message = format('job %s needs either a step, with or without a guard, or a command', p_name);
    end if;

    insert into ops.scheduled_job as j (
        name, schedule, repeats_every, step, guard, command, database_name
    )
    values (
        p_name, p_schedule, p_repeats_every, p_step, p_guard,
        coalesce(p_command, format('call ops.run_until_done(%L)', p_name)),
        coalesce(p_database, current_database())
    )
    on conflict on constraint pk_scheduled_job do update
    set
        schedule = excluded.schedule,
        repeats_every = excluded.repeats_every,
        step = excluded.step,
        guard = excluded.guard,
        command = excluded.command,
        database_name = excluded.database_name,
        has_file = true;
end
$$;

comment on function ops.schedule_job(text, text, interval, text, text, text, text) is
'Says what pg_cron shall run; called in the job''s own file, at each migrate, which then hands the jobs to pg_cron.
p_name: name of the job, unique in the database. p_schedule: five cron fields, UTC. p_repeats_every: time between two runs. p_step: call that does a limited piece of work and returns how much; ops.run_until_done() repeats it until it returns 0. p_guard: call that returns why the job must not run, or null. p_command: SQL to run instead of a step. p_database: where, by default here.
Errors: 22023 for a schedule that is not five fields or has a number out of range, an interval that is not above zero, not exactly one of step and command, or a guard without a step.';

revoke all on function ops.schedule_job(text, text, interval, text, text, text, text) from public;
grant execute on function ops.schedule_job(text, text, interval, text, text, text, text)
to aqm_auth_owner, aqm_coins_owner, aqm_escrow_owner;

-- pg_cron lives in the database "postgres" (docs/adr/0006) and never forgets a run by itself.
select ops.schedule_job(
    'cron_history',
    '30 4 * * 0',
    interval '7 days',
    p_command => 'delete from cron.job_run_details where end_time < now() - interval ''7 days''',
    p_database => 'postgres'
);
