begin;
select plan(3);

select is_empty(
    'select replica, value from ops.replication_lag_seconds()',
    'without a replica there is no lag to show'
);
set local role aqm_gateway;
select lives_ok('select * from ops.replication_lag_seconds()', 'the gateway may show it as a metric');
set local role aqm_device;
select throws_ok('select * from ops.replication_lag_seconds()', '42501', null, 'a device may not ask');

select * from finish();
rollback;
