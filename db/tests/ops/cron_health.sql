begin;
select plan(11);

-- Jobs of this test alone. All repeat every hour; "moment" is a microsecond.
delete from ops.scheduled_job;
select is_empty(
    'select * from ops.cron_health()',
    'without jobs there is nothing to tell'
);

insert into ops.scheduled_job (
    name, schedule, repeats_every, database_name, command, step, scheduled_at, last_success_at, last_count, last_alarm
)
values
('new', '0 * * * *', '1 hour', 'here', 'call …', 'step()', now(), null, null, null),
('new, two intervals', '0 * * * *', '1 hour', 'here', 'call …', 'step()', now() - interval '2 hours', null, null, null),
(
    'new, two intervals and a moment', '0 * * * *', '1 hour', 'here', 'call …', 'step()',
    now() - interval '2 hours' - interval '1 microsecond', null, null, null
),
('done', '5 * * * *', '1 hour', 'here', 'call …', 'step()', now() - interval '1 year', now(), 42, null),
(
    'done, two intervals', '0 * * * *', '1 hour', 'here', 'call …', 'step()',
    now() - interval '1 year', now() - interval '2 hours', 0, null
),
(
    'done, two intervals and a moment', '0 * * * *', '1 hour', 'here', 'call …', 'step()',
    now() - interval '1 year', now() - interval '2 hours' - interval '1 microsecond', 0, null
),
(
    'daily', '0 4 * * *', '1 day', 'here', 'call …', 'step()',
    now() - interval '1 year', now() - interval '47 hours', 1, null
),
(
    'monthly', '0 4 1 * *', '31 days', 'here', 'call …', 'step()',
    now() - interval '1 year', now() - interval '32 days', 1, null
),
(
    'monthly, failed', '0 4 1 * *', '31 days', 'here', 'call …', 'step()',
    now() - interval '1 year', now() - interval '32 days 1 microsecond', 1, null
),
('stopped', '0 * * * *', '1 hour', 'here', 'call …', 'step()', now() - interval '1 year', now(), 5, 'too many'),
(
    'stopped, long ago', '0 * * * *', '1 hour', 'here', 'call …', 'step()',
    now() - interval '1 year', now() - interval '1 year', 5, 'too many'
),
('command', '0 * * * *', '1 hour', 'there', 'vacuum', null, now() - interval '1 year', null, null, null);

select
    is(
        (
            select h.status from ops.cron_health() as h
            where h.job = expected.job
        ), expected.status, expected.description
    )
from (
    values
    ('new, two intervals', 'waiting for the first run', 'a new job has two intervals to succeed in'),
    ('new, two intervals and a moment', 'late', 'a new job that has not succeeded after two intervals is late'),
    ('done, two intervals', 'ok', 'a job that succeeded two intervals ago is all right'),
    ('done, two intervals and a moment', 'late', 'a job that has not succeeded for more than two intervals is late'),
    ('daily', 'ok', 'what late means goes by the job''s own interval'),
    ('monthly', 'ok', 'a job that runs monthly has a day to come to its end'),
    ('monthly, failed', 'late', 'a failure of a job that runs monthly is seen after a day, not after a month')
) as expected (job, status, description);

select results_eq(
    $$select job, schedule, last_success_at, last_count, status, alarm from ops.cron_health()
    where job in ('command', 'done', 'new', 'stopped', 'stopped, long ago')$$,
    $$values
    (
        'command', '0 * * * *', null::timestamptz, null::bigint,
        'see cron.job_run_details in database there', null
    ),
    ('done', '5 * * * *', now(), 42, 'ok', null),
    ('new', '0 * * * *', null, null, 'waiting for the first run', null),
    ('stopped', '0 * * * *', now(), 5, 'alarm', 'too many'),
    ('stopped, long ago', '0 * * * *', now() - interval '1 year', 5, 'alarm', 'too many')$$,
    'an operator sees the jobs by name, what each did last, why a guard stopped one, and where to look for a command'
);

set local role aqm_monitor;
select isnt_empty('select * from ops.cron_health()', 'monitoring may ask without a right on the table');
set local role aqm_device;
select throws_ok(
    'select * from ops.cron_health()',
    '42501', 'permission denied for function cron_health',
    'a device does not see the jobs'
);

select * from finish();
rollback;
