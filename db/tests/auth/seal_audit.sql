begin;
select plan(19);

-- What a job or the test itself wrote is out of the way: the tests look at months long ago.
select auth.add_month('audit_logs', month) as made
from (values (date '2001-02-01'), ('2001-03-01')) as months (month);
create function pg_temp.add(p_created_at timestamptz, p_actor text)
returns void
language sql
begin atomic
    insert into auth.audit_logs (created_at, action, actor) values (p_created_at, 'user.created', p_actor);
end;
create view pg_temp.chain as
select
    al.chain_position,
    al.actor,
    al.chain_hash
from auth.audit_logs as al
where al.created_at < '2001-04-01' and al.chain_position is not null;

select
    throws_ok(
        format('select auth.seal_audit(%s)', bad.number), '22023', 'limit must be at least 1', bad.description
    )
from (
    values
    ('0', 'to seal none is a mistake'),
    ('-1', 'and so is fewer'),
    ('null', 'and a step without an end')
) as bad (number, description);

select is(auth.seal_audit(10, '2001-04-01'), 0::bigint, 'an empty audit has nothing to seal');
select is_empty('select 1 from auth.audit_heads where month < ''2001-04-01''', 'and no head');

select pg_temp.add('2001-02-28 23:59:59.999999+00', 'c') as added;
select pg_temp.add('2001-02-01 00:00:00+00', 'a') as added;
select pg_temp.add('2001-02-02 00:00:00+00', 'b') as added;
select pg_temp.add('2001-03-01 00:00:00+00', 'd') as added;

set local timezone = 'Asia/Kolkata';
select is(auth.seal_audit(10, '2001-02-02 00:00:00+00'), 1::bigint, 'what is younger than it should be waits');
select is(auth.seal_audit(1, '2001-04-01'), 1::bigint, 'a step seals no more than its limit');
select is(auth.seal_audit(10, '2001-04-01'), 1::bigint, 'a step ends with its month, which is one of UTC');
select results_eq(
    'select chain_position, actor from pg_temp.chain order by chain_position',
    $$values (1::bigint, 'a'), (2, 'b'), (3, 'c')$$,
    'the oldest row is the first of the chain'
);
select is(auth.seal_audit(10, '2001-04-01'), 1::bigint, 'the next step goes on with the next month');
select results_eq(
    'select chain_position, actor from pg_temp.chain where actor = ''d''', $$values (1::bigint, 'd')$$,
    'which is a chain of its own'
);
select is(auth.seal_audit(10, '2001-04-01'), 0::bigint, 'a step with nothing left ends the job');

select pg_temp.add('2001-02-01 12:00:00+00', 'late') as added;
select is(auth.seal_audit(10, '2001-04-01'), 1::bigint, 'a row that was committed late is sealed late');
select results_eq(
    'select chain_position from pg_temp.chain where actor = ''late''', 'values (4::bigint)',
    'and is the next of its month, whatever its time'
);
select results_eq(
    $$select month, rows_sealed, chain_hash from auth.audit_heads where month < '2001-04-01' order by month$$,
    $$select date '2001-02-01', 4::bigint, chain_hash from pg_temp.chain where actor = 'late'
    union all
    select '2001-03-01', 1, chain_hash from pg_temp.chain where actor = 'd'$$,
    'the head of a month is its last row'
);
select is_empty(
    $$select * from auth.verify_audit('2001-02-01') union all select * from auth.verify_audit('2001-03-01')$$,
    'what was sealed is whole'
);

select auth.write_audit('user.created') as written;
select is(
    (
        select count(*)
        from auth.audit_logs as al
        where al.chain_position is null and al.created_at < date_trunc('minute', now())
    ), 0::bigint,
    'what was written in this minute is left for the next, so that a job among busy writers ends'
);
set local role aqm_jobs;
select lives_ok('select auth.seal_audit(5000)', 'the scheduler may seal');
set local role aqm_admin;
select throws_ok(
    'select auth.seal_audit(5000)', '42501', 'permission denied for function seal_audit',
    'an administrator has no part in it'
);

select * from finish();
rollback;
