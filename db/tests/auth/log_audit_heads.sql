begin;
select plan(2);

-- What arrives in the server's log is seen in tests/test_audit.py.
insert into auth.audit_heads (month, rows_sealed, chain_hash)
values (date_trunc('month', now())::date, 1, sha256('')), ('2001-02-01', 1, sha256(''))
on conflict do nothing;
select lives_ok('select auth.log_audit_heads()', 'heads are written to the log');
set local role aqm_jobs;
select throws_ok(
    'select auth.log_audit_heads()', '42501', 'permission denied for function log_audit_heads',
    'it is for auth.seal_audit() alone'
);

select * from finish();
rollback;
