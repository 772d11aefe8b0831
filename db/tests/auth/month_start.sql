begin;
select plan(4);

set local timezone = 'Asia/Kolkata';
select is(
    auth.month_start('2026-03-31'),
    timestamptz '2026-03-01 00:00:00+00',
    'a month begins in UTC, wherever the session is'
);
select is(auth.month_start('2026-03-01'), timestamptz '2026-03-01 00:00:00+00', 'the first day is of the month');
select is(auth.month_start(null), null, 'no day, no month');
set local role aqm_jobs;
select throws_ok(
    $$select auth.month_start('2026-03-31')$$, '42501', 'permission denied for function month_start',
    'it is for the functions of the schema alone'
);

select * from finish();
rollback;
