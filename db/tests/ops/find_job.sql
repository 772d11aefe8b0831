begin;
select plan(6);

insert into ops.scheduled_job (name, schedule, repeats_every, database_name, command, step, guard)
values
('guarded', '0 4 * * *', '1 day', 'here', 'call …', 'coins.work(5000)', 'coins.ask()'),
('plain', '0 * * * *', '1 hour', 'here', 'call …', 'coins.work(1)', null),
('command', '0 * * * *', '1 hour', 'there', 'vacuum', null, null);

select results_eq(
    $$select step, guard from ops.find_job('guarded')$$,
    $$values ('coins.work(5000)', 'coins.ask()')$$,
    'the scheduler finds the step and the guard of a job'
);
select results_eq(
    $$select step, guard from ops.find_job('plain')$$,
    $$values ('coins.work(1)', null::text)$$,
    'a job may be without a guard'
);
select is_empty(
    $$select * from ops.find_job('command')$$,
    'a job that is a command has no step to run'
);
select is_empty(
    $$select * from ops.find_job('Plain')$$,
    'an unknown job is not found'
);

set local role aqm_jobs;
select isnt_empty($$select * from ops.find_job('plain')$$, 'the scheduler may ask without a right on the table');
set local role aqm_monitor;
select throws_ok(
    $$select * from ops.find_job('plain')$$,
    '42501', 'permission denied for function find_job',
    'nobody else needs to'
);

select * from finish();
rollback;
