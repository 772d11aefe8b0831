begin;
select plan(6);

insert into ops.scheduled_job (
    name, schedule, repeats_every, database_name, command, step, last_success_at, last_count, last_alarm_at, last_alarm
)
values
('stopped', '0 4 * * *', '1 day', 'here', 'call …', 'step()', '2026-01-01', 1, '2026-01-02', 'too many'),
('other', '0 4 * * *', '1 day', 'here', 'call …', 'step()', '2026-01-01', 1, '2026-01-02', 'too many');

select lives_ok(
    $$call ops.record_job_success('stopped', 5000000000)$$,
    'a job that has come to its end is recorded'
);
select results_eq(
    $$select last_success_at between now() and clock_timestamp(), last_count, last_alarm_at, last_alarm
    from ops.scheduled_job where name = 'stopped'$$,
    'values (true, 5000000000, null::timestamptz, null::text)',
    'an operator sees when it ended and what it did, and its alarm is over'
);
select results_eq(
    $$select last_success_at, last_count, last_alarm_at, last_alarm from ops.scheduled_job where name = 'other'$$,
    $$values (timestamptz '2026-01-01', 1::bigint, timestamptz '2026-01-02', 'too many')$$,
    'what is known of other jobs stays'
);
select lives_ok(
    $$call ops.record_job_success('gone', 0)$$,
    'a job that was removed while it ran is no error'
);

set local role aqm_jobs;
select lives_ok($$call ops.record_job_success('other', 0)$$, 'the scheduler may record');
set local role aqm_monitor;
select throws_ok(
    $$call ops.record_job_success('other', 0)$$,
    '42501', 'permission denied for procedure record_job_success',
    'monitoring can''t make a job look well'
);

select * from finish();
rollback;
