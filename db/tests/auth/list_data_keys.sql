begin;
select plan(4);

select is_empty('select auth.list_data_keys()', 'a new database knows no data key');
insert into auth.data_keys (kind, version, is_current, proof)
values
('index', 1, true, repeat('i', 32)::bytea),
('encryption', 2, true, repeat('n', 32)::bytea),
('encryption', 1, false, repeat('o', 32)::bytea);
set local role aqm_gateway;
select results_eq(
    'select * from auth.list_data_keys()',
    $$values
    ('encryption', 1, false, repeat('o', 32)::bytea),
    ('encryption', 2, true, repeat('n', 32)::bytea),
    ('index', 1, true, repeat('i', 32)::bytea)$$,
    'a gateway learns of all that are needed, those that are being rotated away included'
);
set local role aqm_admin;
select throws_ok(
    'select auth.list_data_keys()', '42501', 'permission denied for function list_data_keys', 'no admin needs them'
);
set local role aqm_anon;
select throws_ok(
    'select auth.list_data_keys()', '42501', 'permission denied for function list_data_keys', 'nobody else does'
);

select * from finish();
rollback;
