begin;
select plan(4);

delete from ops.scheduled_job;
insert into ops.scheduled_job (name, schedule, repeats_every, database_name, command, step, last_success_at)
values
('b done', '0 * * * *', '1 hour', 'here', 'call …', 'step()', '2026-01-02 03:04:05.5+00'),
('a new', '0 * * * *', '1 hour', 'here', 'call …', 'step()', null),
('command', '0 * * * *', '1 hour', 'there', 'vacuum', null, null);

select results_eq(
    'select scheduled_job, value from ops.job_last_success()',
    $$values ('a new', 0::double precision), ('b done', 1767323045.5)$$,
    'an operator sees when each job with a step last succeeded, in seconds, 0 for never'
);

set local role aqm_monitor;
select isnt_empty('select * from ops.job_last_success()', 'monitoring may ask');
set local role aqm_gateway;
select isnt_empty('select * from ops.job_last_success()', 'the gateway may ask, for its metrics');
set local role aqm_device;
select throws_ok(
    'select * from ops.job_last_success()',
    '42501', 'permission denied for function job_last_success',
    'a device does not see the jobs'
);

select * from finish();
rollback;
