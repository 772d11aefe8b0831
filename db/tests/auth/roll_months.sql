begin;
select plan(20);

-- The partitions by their first day; what the tests make lies far back.
create view pg_temp.months as
select
    case i.inhparent when 'auth.audit_logs'::regclass then 'audit_logs' else 'email_events' end as parent,
    to_date(right(c.relname, 7), 'YYYY_MM') as month
from pg_inherits as i
inner join pg_class as c on i.inhrelid = c.oid
where i.inhparent in ('auth.audit_logs'::regclass, 'auth.email_events'::regclass);

-- The first day of the youngest month that ended at least so many days ago.
create function pg_temp.last_over(p_days integer)
returns date
language sql
stable
return (date_trunc('month', now() - p_days * interval '1 day') - interval '1 month')::date;

select
    throws_ok(
        format('select auth.roll_months(%s)', bad.arguments), '22023', bad.message, bad.description
    )
from (
    values
    ($$'audit_logs', 30$$, 'keep_days must be between 31 and 36500', 'less than a month would drop what is new'),
    ($$'audit_logs', 36501$$, 'keep_days must be between 31 and 36500', 'more than 100 years are a mistake'),
    ($$'audit_logs', null$$, 'keep_days must be between 31 and 36500', 'without a number nothing is dropped'),
    ($$'users', 400$$, 'table must be audit_logs or email_events', 'people are never dropped'),
    ('null, 400', 'table must be audit_logs or email_events', 'there must be a table')
) as bad (arguments, message, description);
select is_empty('select month from pg_temp.months', 'a refused call makes and drops nothing');

select is(auth.roll_months('audit_logs', 400), 3::bigint, 'a new database gets three partitions');
select is(auth.roll_months('email_events', 90), 3::bigint, 'of each table');
select results_eq(
    'select parent, month from pg_temp.months order by parent, month',
    $$select parent, (date_trunc('month', now() at time zone 'UTC') + n * interval '1 month')::date
    from generate_series(0, 2) as n
    cross join (values ('audit_logs'), ('email_events')) as tables (parent)
    order by 1, 2$$,
    'for this month and the next two'
);
select is(auth.roll_months('audit_logs', 400), 0::bigint, 'a job that is repeated has nothing to do, and ends');
select is(auth.roll_months('email_events', 90), 0::bigint, 'nor has the other');

select lives_ok(
    $$select auth.add_month(old.name, old.month)
    from (
        values
        ('audit_logs', pg_temp.last_over(400)),
        ('audit_logs', (pg_temp.last_over(400) + interval '1 month')::date),
        ('audit_logs', '2001-02-01'),
        ('email_events', pg_temp.last_over(90)),
        ('email_events', (pg_temp.last_over(90) + interval '1 month')::date)
    ) as old (name, month)$$,
    'there may be old partitions'
);
insert into auth.audit_heads (month, rows_sealed, chain_hash)
values ('2001-02-01', 3, sha256('')), (pg_temp.last_over(400) + interval '1 month', 5, sha256(''));
select is(auth.roll_months('audit_logs', 36500), 0::bigint, 'whoever keeps them for 100 years drops none of them');
select is(auth.roll_months('audit_logs', 400), 2::bigint, 'what ended 400 days ago is dropped');
select is(auth.roll_months('email_events', 90), 1::bigint, 'each table has its own time');
select results_eq(
    $$select parent, month from pg_temp.months
    where month < date_trunc('month', now() at time zone 'UTC') order by parent$$,
    $$values
    ('audit_logs', (pg_temp.last_over(400) + interval '1 month')::date),
    ('email_events', (pg_temp.last_over(90) + interval '1 month')::date)$$,
    'a month that is not over for so long stays'
);
select results_eq(
    'select rows_sealed from auth.audit_heads', 'values (5::bigint)',
    'with a month of the audit goes its head, so that nobody looks for it'
);
select results_eq(
    $$select detail ->> 'month' from auth.audit_logs where action = 'audit.month_dropped' order by 1$$,
    $$values ('2001-02'), (to_char(pg_temp.last_over(400), 'YYYY-MM'))$$,
    'which the audit itself says'
);
set local role aqm_jobs;
select lives_ok($$select auth.roll_months('audit_logs', 400)$$, 'the scheduler may roll');
set local role aqm_admin;
select throws_ok(
    $$select auth.roll_months('audit_logs', 400)$$, '42501', 'permission denied for function roll_months',
    'an administrator over HTTP drops nothing'
);

select * from finish();
rollback;
