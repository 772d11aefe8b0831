begin;
select plan(4);

select is_empty(
    $$select holder from ops.oldest_snapshot() where holder = 'session ' || pg_backend_pid()$$,
    'an operator does not see the session that asks'
);
select cmp_ok(
    (select count(*) from ops.oldest_snapshot()), '<=', 10::bigint,
    'an operator sees the ten worst at most'
);

set local role aqm_monitor;
select lives_ok(
    'select holder, role_name, state, since, transactions_behind from ops.oldest_snapshot()',
    'monitoring may ask'
);
set local role aqm_device;
select throws_ok(
    'select * from ops.oldest_snapshot()',
    '42501', 'permission denied for function oldest_snapshot',
    'a device does not see the sessions'
);

select * from finish();
rollback;
