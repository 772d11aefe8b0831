begin;
select plan(7);

delete from gateway.metric;
select is_empty(
    'select * from gateway.list_metrics()',
    'without metrics there is nothing to list'
);

create function coins.weigh(out value bigint)
returns bigint
language plpgsql
as 'begin end';
comment on function coins.weigh() is 'Weighs the coins.';
create function coins.measure(out value bigint)
returns bigint
language plpgsql
as 'begin end';
select gateway.expose_metric('aqm_weight', 'coins.weigh');
select gateway.expose_metric('aqm_length', 'coins.measure');

select results_eq(
    'select name, function_name, comment from gateway.list_metrics()',
    $$values ('aqm_length', 'coins.measure', null), ('aqm_weight', 'coins.weigh', 'Weighs the coins.')$$,
    'the gateway reads the metrics by name, each with its function and what it says of itself'
);

set local role aqm_gateway;
select isnt_empty('select * from gateway.list_metrics()', 'the gateway may ask without a right on the table');
set local role aqm_monitor;
select isnt_empty('select * from gateway.list_metrics()', 'monitoring may ask');
set local role aqm_coins_owner;
select throws_ok(
    'select * from gateway.list_metrics()',
    '42501', 'permission denied for function list_metrics',
    'nobody else needs to'
);
set local role aqm_device;
select throws_ok(
    'select * from gateway.list_metrics()',
    '42501', null,
    'a device does not see what is measured'
);
reset role;

drop function coins.weigh();
select throws_ok(
    'select * from gateway.list_metrics()',
    '42883', 'function "coins.weigh" does not exist',
    'a metric whose function is gone is named'
);

select * from finish();
rollback;
