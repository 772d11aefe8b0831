begin;
select plan(4);

insert into auth.audit_heads (month, rows_sealed, chain_hash)
values ('2001-02-01', 7, '\x0123'), ('2001-03-01', 8, '\x4567');
select lives_ok($$select auth.forget_audit_head('2001-02-01')$$, 'the head of a month that was dropped is forgotten');
select lives_ok($$select auth.forget_audit_head('2001-01-01')$$, 'there may be none');
select results_eq(
    'select rows_sealed from auth.audit_heads where month < ''2002-01-01''', 'values (8::bigint)', 'others stay'
);
select results_eq(
    $$select detail from auth.audit_logs where action = 'audit.month_dropped' order by id$$,
    $$values
    ('{"month": "2001-02", "rows": 7, "hash": "0123"}'::jsonb), ('{"month": "2001-01", "rows": 0, "hash": null}')$$,
    'the audit keeps how far the chain of a dropped month went'
);

select * from finish();
rollback;
