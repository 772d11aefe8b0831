begin;
select plan(6);

insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
select
    gen_random_uuid() as user_id,
    number as key_id,
    'BRONZE' as coin_category,
    '' as public_key_blob,
    '' as signature_blob
from generate_series(1, 1000) as number;

select set_eq(
    $$select index_name, index_size, index_bytes from ops.index_sizes() where table_name = 'coins.coin_inventory'$$,
    $$select name, pg_size_pretty(bytes), bytes
    from
        unnest(array['idx_coin_expiry', 'idx_coin_hard_delete', 'idx_coin_lookup', 'uq_user_key']) as name
        cross join lateral pg_relation_size('coins.' || name) as bytes$$,
    'an operator sees what each index of a table takes'
);
select results_eq(
    'select index_bytes from ops.index_sizes()',
    'select index_bytes from ops.index_sizes() order by index_bytes desc',
    'the largest comes first'
);
select is_empty(
    $$select index_name from ops.index_sizes() where scans is distinct from 0 and table_name = 'coins.coin_inventory'$$,
    'an index that no query has used yet shows no scans'
);
select is_empty(
    $$select index_name from ops.index_sizes() where table_name ~ '^(pg_catalog|information_schema|pg_toast)'$$,
    'an operator sees no index of the system'
);

set local role aqm_monitor;
select isnt_empty('select * from ops.index_sizes()', 'monitoring may ask');
set local role aqm_device;
select throws_ok(
    'select * from ops.index_sizes()',
    '42501', 'permission denied for function index_sizes',
    'a device does not see the indexes'
);

select * from finish();
rollback;
