begin;
select plan(8);

insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
select
    gen_random_uuid() as user_id,
    'k' as key_id,
    'GOLD' as coin_category,
    convert_to(repeat('p', 1184), 'UTF8') as public_key_blob,
    convert_to(repeat('s', 2420), 'UTF8') as signature_blob
from generate_series(1, 100);
create materialized view ops.summary as
select count(*) as coins from coins.coin_inventory;

select set_has(
    'select table_name, total_bytes from ops.table_sizes()',
    $$select name, pg_total_relation_size(name::regclass)
    from unnest(array[
        'coins.coin_category', 'coins.coin_inventory', 'gateway.route', 'ops.scheduled_job', 'ops.summary'
    ]) as name$$,
    'an operator sees what each table of all contexts takes with all that belongs to it'
);
select is_empty(
    $$select table_name from ops.table_sizes() where table_name ~ '^(pg_|information_schema)'$$,
    'and no table of the system'
);
select results_eq(
    'select total_bytes from ops.table_sizes()',
    'select total_bytes from ops.table_sizes() order by total_bytes desc',
    'the largest comes first'
);
select results_eq(
    $$select table_name, total_size, table_size, toast_size, index_size from ops.table_sizes()
    where table_name = 'coins.coin_inventory'$$,
    $$select
        'coins.coin_inventory', pg_size_pretty(pg_total_relation_size(c.oid)), pg_size_pretty(pg_relation_size(c.oid)),
        pg_size_pretty(pg_relation_size(c.reltoastrelid)), pg_size_pretty(pg_indexes_size(c.oid))
    from pg_class as c where c.oid = 'coins.coin_inventory'::regclass$$,
    'a table is shown with its rows, its blobs and its indexes apart'
);
select ok(
    (
        select pg_size_bytes(t.toast_size) > 100 * (1184 + 2420) from ops.table_sizes() as t
        where t.table_name = 'coins.coin_inventory'
    ),
    'the blobs of coins count as toast'
);
select is(
    (
        select t.toast_size from ops.table_sizes() as t
        where t.table_name = 'ops.summary'
    ),
    '0 bytes',
    'a table that can have no blobs has a toast of nothing'
);

set local role aqm_monitor;
select isnt_empty('select * from ops.table_sizes()', 'monitoring may ask');
set local role aqm_device;
select throws_ok(
    'select * from ops.table_sizes()',
    '42501', 'permission denied for function table_sizes',
    'a device does not see the tables'
);

select * from finish();
rollback;
