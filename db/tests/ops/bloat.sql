begin;
select plan(6);

-- Rows count once they are committed: those that a migration brought are all there are.
analyze coins.coin_category;

select set_has(
    'select table_name from ops.bloat()',
    $$values ('coins.coin_category'), ('coins.coin_inventory'), ('gateway.route'), ('ops.scheduled_job')$$,
    'an operator sees the tables of all contexts'
);
select is_empty(
    $$select table_name from ops.bloat() where table_name ~ '^(pg_catalog|information_schema|pg_toast)'$$,
    'and no table of the system'
);
select results_eq(
    $$select live_rows, dead_rows, dead_percent, last_autovacuum, last_vacuum from ops.bloat()
    where table_name = 'coins.coin_category'$$,
    'values (3::bigint, 0::bigint, 0.0, null::timestamptz, null::timestamptz)',
    'a table that nothing was deleted from has no dead rows'
);
select results_eq(
    $$select live_rows, dead_rows, dead_percent from ops.bloat() where table_name = 'coins.coin_inventory'$$,
    'values (0::bigint, 0::bigint, null::numeric)',
    'an empty table has no share of dead rows'
);

set local role aqm_monitor;
select isnt_empty('select * from ops.bloat()', 'monitoring may ask');
set local role aqm_device;
select throws_ok(
    'select * from ops.bloat()',
    '42501', 'permission denied for function bloat',
    'a device does not see the tables'
);

select * from finish();
rollback;
