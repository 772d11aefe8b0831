begin;
select plan(4);

delete from ops.scheduled_job;
insert into ops.scheduled_job (
    name, schedule, repeats_every, database_name, command, step, scheduled_at, last_success_at, last_alarm
)
values
('command', '0 * * * *', '1 hour', 'there', 'vacuum', null, now() - interval '1 year', null, null),
(
    'late',
    '0 * * * *',
    '1 hour',
    'here',
    'call …',
    'step()',
    now() - interval '1 year',
    now() - interval '3 hours',
    null
),
('new', '0 * * * *', '1 hour', 'here', 'call …', 'step()', now(), null, null),
('ok', '0 * * * *', '1 hour', 'here', 'call …', 'step()', now() - interval '1 year', now(), null),
('stopped', '0 * * * *', '1 hour', 'here', 'call …', 'step()', now() - interval '1 year', now(), 'too many');

select set_eq(
    'select scheduled_job, value from ops.job_alarms()',
    $$values ('command', 0), ('late', 1), ('new', 0), ('ok', 0), ('stopped', 1)$$,
    'an operator is alarmed by a job that is late or was stopped, and by no other'
);

set local role aqm_monitor;
select isnt_empty('select * from ops.job_alarms()', 'monitoring may ask');
set local role aqm_gateway;
select isnt_empty('select * from ops.job_alarms()', 'the gateway may ask, for its metrics');
set local role aqm_device;
select throws_ok(
    'select * from ops.job_alarms()',
    '42501', 'permission denied for function job_alarms',
    'a device does not see the jobs'
);

select * from finish();
rollback;
