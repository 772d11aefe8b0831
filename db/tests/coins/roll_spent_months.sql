begin;
select plan(16);

\set bob '''b0b00000-0000-4000-8000-000000000000'''

-- The partitions by their first day; what the tests make lies far back.
create view pg_temp.months as
select to_date(right(c.relname, 7), 'YYYY_MM') as month
from pg_inherits as i
inner join pg_class as c on i.inhrelid = c.oid
where i.inhparent = 'coins.spent_coin'::regclass;

-- The first day of the youngest month that ended at least so many days ago.
create function pg_temp.last_over(p_days integer)
returns date
language sql
stable
return (date_trunc('month', now() - p_days * interval '1 day') - interval '1 month')::date;

-- The scheduled hard delete may have run in this database before.
do $$
declare
    v_partition regclass;
begin
    for v_partition in select i.inhrelid from pg_inherits as i where i.inhparent = 'coins.spent_coin'::regclass loop
        execute format('drop table %s', v_partition);
    end loop;
end
$$;

select
    throws_ok(
        format('select coins.roll_spent_months(%s)', bad.days), '22023', 'keep_days must be between 31 and 36500',
        bad.description
    )
from (
    values
    ('30', 'less than a month would forget what was just spent'),
    ('36501', 'more than 100 years are a mistake'),
    ('-1', 'days don''t run back'),
    ('null', 'without a number nothing is forgotten')
) as bad (days, description);
select is_empty('select month from pg_temp.months', 'a refused call makes and drops nothing');

select is(coins.roll_spent_months(), 3::bigint, 'a new database gets three partitions');
select results_eq(
    'select month from pg_temp.months order by month',
    $$select (date_trunc('month', now()) + n * interval '1 month')::date from generate_series(0, 2) as n$$,
    'of this month and the next two'
);
select is(coins.roll_spent_months(), 0::bigint, 'a job that is repeated has nothing to do, and ends');

select lives_ok(
    $$select coins.add_spent_month(pg_temp.last_over(400)),
        coins.add_spent_month((pg_temp.last_over(400) + interval '1 month')::date),
        coins.add_spent_month('2001-02-03')$$,
    'there may be old partitions'
);
insert into coins.spent_coin (user_id, month, digests)
values
(:bob, '2001-02-01', '{1}'),
(:bob, pg_temp.last_over(400), '{2}'),
(:bob, pg_temp.last_over(400) + interval '1 month', '{3}');
select is(coins.roll_spent_months(36500), 0::bigint, 'whoever keeps spent coins for 100 years drops none of them');
select is(coins.roll_spent_months(), 2::bigint, 'what ended 400 days ago is dropped, however many months it is');
select results_eq(
    'select digests from coins.spent_coin', $$values ('{3}'::bigint[])$$,
    'a coin that was spent 400 days ago is still remembered: its month is not over for so long'
);
select is_empty(
    $$select c.relname from pg_class as c
    where c.relnamespace = 'coins'::regnamespace and c.relname like 'spent\_coin\_2001%'$$,
    'a dropped month leaves nothing behind'
);
select is(
    (
        select count(*)
        from pg_temp.months
    ), 4::bigint,
    'the months to come stay'
);
set local role aqm_jobs;
select lives_ok('select coins.roll_spent_months(400)', 'the scheduler may roll');
set local role aqm_admin;
select throws_ok(
    'select coins.roll_spent_months()', '42501', 'permission denied for function roll_spent_months',
    'an administrator over HTTP forgets no spent coins'
);

select * from finish();
rollback;
