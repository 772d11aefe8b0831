begin;
select plan(8);

-- A month begins in UTC, wherever whoever asks for it is.
set local timezone = 'Asia/Kolkata';
select is(auth.add_month('audit_logs', '2031-12-31'), true, 'the partition of a month is made');
select is(auth.add_month('audit_logs', '2031-12-31'), false, 'who asks for it again is told that it was there');
select is(auth.add_month('audit_logs', '2031-12-01'), false, 'any day of the month means the same partition');
select is(auth.add_month('audit_logs', '2032-01-01'), true, 'the first day of the next month does not');
select is(auth.add_month('email_events', '2031-12-31'), true, 'emails have months of their own');

set local timezone = 'UTC';
select set_eq(
    $$select c.relname::text, pg_get_expr(c.relpartbound, c.oid), c.relowner::regrole::text
    from pg_inherits as i
    inner join pg_class as c on c.oid = i.inhrelid
    where c.relkind = 'r' and c.relname ~ '^(audit_logs|email_events)_203'$$,
    $$values
    (
        'audit_logs_2031_12', 'FOR VALUES FROM (''2031-12-01 00:00:00+00'') TO (''2032-01-01 00:00:00+00'')',
        'aqm_auth_owner'
    ),
    (
        'audit_logs_2032_01', 'FOR VALUES FROM (''2032-01-01 00:00:00+00'') TO (''2032-02-01 00:00:00+00'')',
        'aqm_auth_owner'
    ),
    (
        'email_events_2031_12', 'FOR VALUES FROM (''2031-12-01 00:00:00+00'') TO (''2032-01-01 00:00:00+00'')',
        'aqm_auth_owner'
    )$$,
    'months of UTC follow each other without a gap, and belong to the context, whoever made them'
);

insert into auth.audit_logs (created_at, action, actor)
values ('2031-12-31 23:59:59.999999+00', 'test.first', 'nobody'), ('2032-01-01 00:00:00+00', 'test.second', 'nobody');
select results_eq(
    'select action, tableoid::regclass::text from auth.audit_logs where created_at > $$2031-01-01$$ order by id',
    $$values ('test.first', 'audit_logs_2031_12'), ('test.second', 'audit_logs_2032_01')$$,
    'what happens goes to its month, and is numbered through all of them'
);
select throws_ok(
    $$insert into auth.audit_logs (created_at, action, actor) values ('2031-11-30', 'test.third', 'nobody')$$,
    '23514', null,
    'a month that was not asked for has no partition'
);

select * from finish();
rollback;
