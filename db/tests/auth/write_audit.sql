begin;
select plan(9);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set session '''5e551000-0000-4000-8000-000000000000'''
-- In a time zone where it is another month than in UTC twice a month.
set local timezone = 'Pacific/Kiritimati';
select lives_ok($$select auth.write_audit('test.first')$$, 'what happened is written down');
set local "request.claims" = '{"sub": "eve"}';
set local "request.address" = '192.0.2.1';
select lives_ok(
    format($$select auth.write_audit('test.second', %L, %L, '{"role": "user"}')$$, :bob, :session),
    'and to whom, and what else'
);
select results_eq(
    'select action, actor, user_id, session_id, address, detail from auth.audit_logs order by id',
    format(
        $$values
        ('test.first', %L, null::uuid, null::uuid, null::inet, '{}'::jsonb),
        ('test.second', 'eve', %L, %L, '192.0.2.1', '{"role": "user"}')$$,
        session_user, :bob, :session
    ),
    'who did it and from where is read from the request, or is the login'
);
select ok(
    (
        select bool_and(al.created_at between now() and clock_timestamp()) and count(distinct al.created_at) = 2
        from auth.audit_logs as al
    ),
    'each row has its own time, not that of the transaction'
);
select is(
    (
        select count(*)
        from auth.audit_logs as al
        where al.tableoid = format('auth.audit_logs_%s', to_char(al.created_at at time zone 'UTC', 'YYYY_MM'))::regclass
    ), 2::bigint,
    'the month is that of UTC'
);
select ok(
    (
        select bool_and(al.chain_position is null)
        from auth.audit_logs as al
    ),
    'a row waits to be sealed'
);
select throws_ok(format('select auth.write_audit(%L)', bad.action), bad.code, null, bad.description)
from (
    values
    ('opened', '23514', 'an action says what it was done to'),
    ('Session.opened', '23514', 'in small letters'),
    (null, '23502', 'and is needed')
) as bad (action, code, description);

select * from finish();
rollback;
