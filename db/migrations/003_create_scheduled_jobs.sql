set local role aqm_ops_owner;

create table ops.scheduled_job (
    name text not null,
    schedule text not null,
    repeats_every interval not null check (repeats_every > interval '0'),
    database_name text not null,
    command text not null,
    step text,
    guard text,
    last_success_at timestamptz,
    last_count bigint,
    last_alarm_at timestamptz,
    last_alarm text,
    scheduled_at timestamptz not null default now(),
    has_file boolean not null default true,
    constraint pk_scheduled_job primary key (name)
);

comment on table ops.scheduled_job is 'What pg_cron shall run for this database, and how the last run ended; written by ops.schedule_job() and ops.run_until_done().';
comment on column ops.scheduled_job.schedule is 'Five cron fields, UTC.';
comment on column ops.scheduled_job.repeats_every is 'Time between two runs, by the schedule.';
comment on column ops.scheduled_job.step is 'Call that does a limited piece of work and returns how much; repeated until it returns 0.';
comment on column ops.scheduled_job.guard is 'Call that returns why the job must not run, or null; asked once a run.';
comment on column ops.scheduled_job.last_count is 'What the last successful run did: the sum of its steps.';
comment on column ops.scheduled_job.last_alarm is 'Why the guard last stopped the job.';
comment on column ops.scheduled_job.scheduled_at is 'Since when the job is known: a new one is not late.';
comment on column ops.scheduled_job.has_file is 'False for a job that no file schedules any more; migrate.py removes it.';

create type ops.job_health as (
    job text,
    schedule text,
    last_success_at timestamptz,
    last_count bigint,
    status text,
    alarm text
);

comment on type ops.job_health is 'A scheduled job and whether it does its work.';
