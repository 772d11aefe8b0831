begin;
select plan(3);

select is_empty('select table_name, value from ops.dead_rows_percent()', 'small tables are no news');
set local role aqm_gateway;
select lives_ok('select * from ops.dead_rows_percent()', 'the gateway may show it as a metric');
set local role aqm_device;
select throws_ok('select * from ops.dead_rows_percent()', '42501', null, 'a device may not ask');

select * from finish();
rollback;
