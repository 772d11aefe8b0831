begin;
select plan(6);

select ok(
    (
        select p.active >= 1 and p.connections >= p.active + p.idle + p.idle_in_transaction from ops.pool_usage() as p
        where p.role_name = current_user
    ),
    'an operator sees the own session as an active one of its role'
);
select ok(
    (
        select p.oldest_transaction >= statement_timestamp() - now() from ops.pool_usage() as p
        where p.role_name = current_user
    ),
    'an operator sees how long the oldest transaction of a role is open'
);
select is(
    (select sum(p.connections) from ops.pool_usage() as p),
    (
        select count(*)::numeric from pg_stat_activity
        where backend_type = 'client backend'
    ),
    'every connection of a client is counted, and no process of the server'
);
select is_empty(
    $$select role_name from ops.pool_usage()
    where percent_of_server is distinct from
        round(connections * 100.0 / current_setting('max_connections')::integer, 1)$$,
    'an operator sees which share of the server each role takes'
);

set local role aqm_monitor;
select isnt_empty(
    $$select * from ops.pool_usage() where active > 0$$,
    'monitoring may ask, and sees what the sessions of other roles do'
);
set local role aqm_device;
select throws_ok(
    'select * from ops.pool_usage()',
    '42501', 'permission denied for function pool_usage',
    'a device does not see the sessions'
);

select * from finish();
rollback;
