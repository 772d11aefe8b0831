begin;
select plan(12);

delete from gateway.metric;
select lives_ok(
    $$select gateway.expose_metric('aqm_unclaimed_coins', 'coins.inventory_by_category')$$,
    'a function becomes a metric'
);
select results_eq(
    'select name, function_name from gateway.metric',
    $$values ('aqm_unclaimed_coins', 'coins.inventory_by_category')$$,
    'the gateway will read just that'
);
select
    throws_ok(
        format($$select gateway.expose_metric(%L, 'coins.inventory_by_category')$$, bad.name),
        '23514', null, bad.description
    )
from (
    values
    ('', 'a metric has a name'),
    ('aqm_', 'a name goes on after its prefix'),
    ('unclaimed_coins', 'a name has our prefix'),
    ('aqm_Unclaimed', 'a name is in lower case'),
    ('aqm_coins{category="GOLD"}', 'a name has no labels'),
    (E'aqm_coins\naqm_more', 'a name can''t smuggle in another line')
) as bad (name, description);
select throws_ok(
    $$select gateway.expose_metric('aqm_unclaimed_coins', 'ops.job_alarms')$$,
    '23505', null,
    'a name that is taken is refused'
);

set local role aqm_ops_owner;
select lives_ok(
    $$select gateway.expose_metric('aqm_job_alarm', 'ops.job_alarms')$$,
    'the owner of a context may make its functions metrics'
);
set local role aqm_coins_owner;
select lives_ok(
    $$select gateway.expose_metric('aqm_coins', 'coins.inventory_by_category')$$,
    'and so may the owner of another'
);
set local role aqm_gateway;
select throws_ok(
    $$select gateway.expose_metric('aqm_other', 'ops.job_alarms')$$,
    '42501', 'permission denied for function expose_metric',
    'the gateway can''t make metrics, it only reads them'
);

select * from finish();
rollback;
