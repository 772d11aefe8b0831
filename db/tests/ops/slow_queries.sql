begin;
select plan(9);

select 'twice' as seen_twice;
select 'twice' as seen_twice;
-- Statements of ten more shapes, so that there are more than ten.
select count(*) from pg_class;
select count(*) from pg_type;
select count(*) from pg_proc;
select count(*) from pg_index;
select count(*) from pg_attribute;
select count(*) from pg_namespace;
select count(*) from pg_operator;
select count(*) from pg_opclass;
select count(*) from pg_constraint;
select count(*) from pg_trigger;

select results_eq(
    $$select calls, mean_ms >= 0, round(total_ms / mean_ms) from ops.slow_queries(100000)
    where query like 'select % as seen_twice'$$,
    'values (2::bigint, true, 2::double precision)',
    'an operator sees how often a statement ran, its mean and its total time'
);
select is(
    (select count(*) from ops.slow_queries(100000)),
    (
        select count(*) from public.pg_stat_statements
        where dbid = (
            select oid from pg_database
            where datname = current_database()
        )
    ),
    'an operator sees all statements of this database'
);
select is_empty(
    $$select query from ops.slow_queries(100000) where query ilike 'create database %'$$,
    'what was asked of another database is not shown'
);
select is(
    (select array_agg(s.mean_ms) from ops.slow_queries(1) as s),
    (select array[max(s.mean_ms)] from ops.slow_queries(100000) as s),
    'an operator who asks for one statement sees the slowest'
);

set local role aqm_monitor;
select isnt_empty('select * from ops.slow_queries(10)', 'monitoring may ask');
select is_empty(
    $$select query from ops.slow_queries(100000) where query = '<insufficient privilege>'$$,
    'monitoring sees what other roles asked'
);
set local role aqm_device;
select throws_ok(
    'select * from ops.slow_queries(10)',
    '42501', 'permission denied for function slow_queries',
    'a device does not see what others ask'
);

reset role;
select is(
    (select count(*) from ops.slow_queries()), 10::bigint,
    'an operator who names no number sees ten'
);
set local client_min_messages = warning;
drop extension pg_stat_statements;
select is_empty(
    'select * from ops.slow_queries()',
    'a server without the extension shows nothing, and no error'
);

select * from finish();
rollback;
