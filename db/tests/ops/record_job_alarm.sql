begin;
select plan(6);

insert into ops.scheduled_job (
    name, schedule, repeats_every, database_name, command, step, last_success_at, last_count
)
values
('stopped', '0 4 * * *', '1 day', 'here', 'call …', 'step()', '2026-01-01', 1),
('other', '0 4 * * *', '1 day', 'here', 'call …', 'step()', '2026-01-01', 1);

select lives_ok(
    $$call ops.record_job_alarm('stopped', 'too many')$$,
    'a job that its guard stopped is recorded'
);
select results_eq(
    $$select last_alarm_at between now() and clock_timestamp(), last_alarm, last_success_at, last_count
    from ops.scheduled_job where name = 'stopped'$$,
    $$values (true, 'too many', timestamptz '2026-01-01', 1::bigint)$$,
    'an operator sees when and why, and when it last succeeded'
);
select results_eq(
    $$select last_alarm_at, last_alarm from ops.scheduled_job where name = 'other'$$,
    'values (null::timestamptz, null::text)',
    'no other job has an alarm'
);
select lives_ok(
    $$call ops.record_job_alarm('gone', 'too many')$$,
    'a job that was removed while it ran is no error'
);

set local role aqm_jobs;
select lives_ok($$call ops.record_job_alarm('other', 'too many')$$, 'the scheduler may record');
set local role aqm_monitor;
select throws_ok(
    $$call ops.record_job_alarm('other', 'too many')$$,
    '42501', 'permission denied for procedure record_job_alarm',
    'monitoring can''t stop a job'
);

select * from finish();
rollback;
