begin;
select plan(3);

select is_empty(
    'select replica, state, sync_state, bytes_behind, seconds_behind from ops.replication_lag()',
    'a server without replicas shows none'
);

set local role aqm_monitor;
select lives_ok('select * from ops.replication_lag()', 'monitoring may ask');
set local role aqm_device;
select throws_ok(
    'select * from ops.replication_lag()',
    '42501', 'permission denied for function replication_lag',
    'a device does not see the servers'
);

select * from finish();
rollback;
