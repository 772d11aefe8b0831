begin;
select plan(33);

select
    lives_ok(
        format($$select ops.schedule_job('fine', %L, interval '1 hour', p_step => 'ops.work()')$$, fine.schedule),
        format('a job may be scheduled at %L', fine.schedule)
    )
from (
    values ('* * * * *'), ('*/5 * * * *'), ('0 4 * * *'), ('30 4 * * 0'), ('0,30 8-18 1 1-6 1-5')
) as fine (schedule);
select is(
    (
        select j.schedule from ops.scheduled_job as j
        where j.name = 'fine'
    ), '0,30 8-18 1 1-6 1-5',
    'the last schedule of a job holds'
);

select
    throws_ok(
        format($$select ops.schedule_job('nightly', %L, interval '1 hour', p_step => 'ops.work()')$$, bad.schedule),
        '22023', 'schedule of job nightly must have five cron fields', bad.description
    )
from (
    values
    ('', 'a schedule has fields'),
    ('* * * *', 'four fields are one too few'),
    ('* * * * * *', 'a sixth field would be ignored, so it is refused'),
    ('0 4 * * * and more', 'words after the fifth field are refused'),
    ('30 seconds', 'seconds are refused: not every pg_cron knows them'),
    ('@daily', 'a nickname is refused'),
    ('0 4 * * MON', 'the name of a day is refused'),
    ('0  4 * * *', 'two spaces between fields are refused'),
    (' 0 4 * * *', 'a space before the fields is refused'),
    ('0 4 * * * ', 'a space after the fields is refused'),
    (E'0 4 * * *\n', 'a line''s end after the fields is refused'),
    (E'0 4 * *\n*', 'a line''s end between fields is refused')
) as bad (schedule, description);
select throws_ok(
    $$select ops.schedule_job('nightly', '0 4 * * *', interval '1 day')$$,
    '22023', 'job nightly needs either a step, with or without a guard, or a command',
    'a job without work is refused'
);
select throws_ok(
    $$select ops.schedule_job(
        'nightly', '0 4 * * *', interval '1 day', p_step => 'ops.work()', p_command => 'vacuum'
    )$$,
    '22023', 'job nightly needs either a step, with or without a guard, or a command',
    'a job with a step and a command is refused'
);
select is_empty(
    $$select j.name from ops.scheduled_job as j where j.name = 'nightly'$$,
    'a refused job is not scheduled'
);

select lives_ok(
    $$select ops.schedule_job(
        'nightly', '0 4 * * *', interval '1 day', p_step => 'ops.work(5)', p_guard => 'ops.ask()'
    )$$,
    'a job may have a step and a guard'
);
select results_eq(
    $$select
        j.schedule, j.repeats_every, j.step, j.guard, j.command, j.database_name = current_database(),
        j.has_file, j.scheduled_at, j.last_success_at
    from ops.scheduled_job as j where j.name = 'nightly'$$,
    $$values (
        '0 4 * * *', interval '1 day', 'ops.work(5)', 'ops.ask()',
        'call ops.run_until_done(''nightly'')', true, true, now(), null::timestamptz
    )$$,
    'pg_cron will run the step of a job until it is done, in this database'
);
select lives_ok(
    $$select ops.schedule_job('dba''s own', '0 4 * * *', interval '1 day', p_step => 'ops.work()')$$,
    'a job''s name may have an apostrophe'
);
select is(
    (
        select j.command from ops.scheduled_job as j
        where j.name = 'dba''s own'
    ),
    $$call ops.run_until_done('dba''s own')$$,
    'and it stays inside its quotes'
);
select lives_ok(
    $$select ops.schedule_job(
        'tidy', '0 5 * * 0', interval '7 days', p_command => 'vacuum', p_database => 'postgres'
    )$$,
    'a job may have a command of its own, in another database'
);
select results_eq(
    $$select j.step, j.guard, j.command, j.database_name from ops.scheduled_job as j where j.name = 'tidy'$$,
    $$values (null::text, null::text, 'vacuum', 'postgres')$$,
    'pg_cron will run that command there'
);

update ops.scheduled_job
set
    has_file = false,
    scheduled_at = now() - interval '1 year',
    last_success_at = now() - interval '1 hour',
    last_count = 7,
    last_alarm = 'too many'
where name = 'nightly';
select lives_ok(
    $$select ops.schedule_job(
        'nightly', '5 3 * * 1', interval '7 days', p_command => 'analyze', p_database => 'other'
    )$$,
    'a job may be scheduled again at the next migrate'
);
select results_eq(
    $$select j.schedule, j.repeats_every, j.step, j.guard, j.command, j.database_name, j.has_file
    from ops.scheduled_job as j where j.name = 'nightly'$$,
    $$values ('5 3 * * 1', interval '7 days', null::text, null::text, 'analyze', 'other', true)$$,
    'and then is what its file says now'
);
select results_eq(
    $$select j.scheduled_at, j.last_success_at, j.last_count, j.last_alarm
    from ops.scheduled_job as j where j.name = 'nightly'$$,
    $$values (now() - interval '1 year', now() - interval '1 hour', 7::bigint, 'too many')$$,
    'an operator still sees how its last run ended'
);

set local role aqm_coins_owner;
select lives_ok(
    $$select ops.schedule_job('of coins', '0 4 * * *', interval '1 day', p_step => 'coins.work()')$$,
    'the owner of another context may schedule its jobs'
);
set local role aqm_jobs;
select throws_ok(
    $$select ops.schedule_job('of jobs', '0 4 * * *', interval '1 day', p_step => 'coins.work()')$$,
    '42501', 'permission denied for function schedule_job',
    'the role that runs the jobs can''t schedule any'
);
set local role aqm_admin;
select throws_ok(
    $$select ops.schedule_job('of admin', '0 4 * * *', interval '1 day', p_step => 'coins.work()')$$,
    '42501', 'permission denied for function schedule_job',
    'an administrator over HTTP schedules no SQL'
);

select * from finish();
rollback;
