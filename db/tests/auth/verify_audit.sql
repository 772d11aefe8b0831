begin;
select plan(29);

select auth.add_month('audit_logs', '2001-02-01') as made;
insert into auth.audit_logs (created_at, action, actor)
select
    timestamptz '2001-02-01 00:00:00+00' + number * interval '1 hour' as created_at,
    'user.created' as action,
    'person ' || number as actor
from generate_series(1, 9) as number;
select auth.seal_audit(100, '2001-03-01') as sealed;
create temporary table sent as
select
    ah.rows_sealed,
    ah.chain_hash
from auth.audit_heads as ah
where ah.month = '2001-02-01';

-- Row n of the chain.
create function pg_temp.row_at(p_position bigint)
returns auth.audit_logs
language sql
stable
as $$
select al.* from auth.audit_logs as al where al.created_at < '2001-03-01' and al.chain_position = p_position
$$;

-- What somebody does who may write tables: hashes that fit again from here on, and a head.
create function pg_temp.forge()
returns void
language plpgsql
as $$
declare
    v_row auth.audit_logs;
    v_hash bytea;
    v_rows bigint := 0;
begin
    for v_row in
        select al.* from auth.audit_logs as al where al.created_at < '2001-03-01' order by al.chain_position
    loop
        v_rows := v_rows + 1;
        v_hash := auth.chain_hash(v_hash, v_row, v_rows);
        update auth.audit_logs as al set chain_position = v_rows, chain_hash = v_hash where al.id = v_row.id;
    end loop;
    update auth.audit_heads as ah set rows_sealed = v_rows, chain_hash = v_hash where ah.month = '2001-02-01';
end
$$;

-- The faults after a statement, which is undone.
create function pg_temp.faults_after(p_statement text, p_rows bigint default null, p_hash bytea default null)
returns setof text
language plpgsql
as $$
declare
    v_faults text[];
begin
    begin
        execute p_statement;
        v_faults := array(
            select format('%s: %s', f.chain_position, f.fault) from auth.verify_audit('2001-02-28', p_rows, p_hash) as f
        );
        raise exception using errcode = 'P0002', message = 'undone';
    exception
        when no_data_found then
            return query select unnest(v_faults);
    end;
end
$$;

select
    throws_ok(
        format('select * from auth.verify_audit(%s)', bad.arguments), '22023', bad.message, bad.description
    )
from (
    values
    ('null', 'month must not be null', 'there must be a month'),
    (
        $$'2001-02-01', 0$$, 'rows must be at least 1, and be there with a hash',
        'a head that was sent has a row at least'
    ),
    (
        $$'2001-02-01', null, '\x00'$$, 'rows must be at least 1, and be there with a hash',
        'a hash belongs to a number of rows'
    )
) as bad (arguments, message, description);

select is_empty($$select * from auth.verify_audit('2001-02-10')$$, 'an audit that nobody touched is whole');
select is_empty(
    $$select * from auth.verify_audit('2001-02-10', (select rows_sealed from sent), (select chain_hash from sent))$$,
    'it fits the head that was sent outside'
);
select is_empty(
    $$select * from auth.verify_audit('2001-02-10', 4, (pg_temp.row_at(4)).chain_hash)$$,
    'and any that was sent before'
);
select is_empty($$select * from auth.verify_audit('1999-01-01')$$, 'a month without rows is whole');
select results_eq(
    $$select fault, id from auth.verify_audit('1999-01-01', 1)$$,
    $$values ('the head that was sent outside says 1 rows, the chain ends at 0', null::bigint)$$,
    'unless there once were some'
);
select lives_ok('select * from auth.verify_audit()', 'without a month it is this one');

select
    results_eq(
        format('select * from pg_temp.faults_after(%L)', change.statement),
        format('select unnest(%L::text[])', change.faults), change.description
    )
from (
    values
    (
        $$update auth.audit_logs set actor = 'me' where id = (pg_temp.row_at(5)).id$$,
        array['5: this row, its place or the hash before it is not what was sealed'],
        'a changed row is found, and no other is blamed'
    ),
    (
        $$update auth.audit_logs set address = '192.0.2.1' where id = (pg_temp.row_at(9)).id$$,
        array['9: this row, its place or the hash before it is not what was sealed'],
        'the last one too'
    ),
    (
        $$update auth.audit_logs set chain_hash = sha256('') where id = (pg_temp.row_at(5)).id$$,
        array[
            '5: this row, its place or the hash before it is not what was sealed',
            '6: this row, its place or the hash before it is not what was sealed'
        ],
        'a changed hash fits neither side'
    ),
    (
        $$delete from auth.audit_logs where id = (pg_temp.row_at(5)).id$$,
        array['6: rows are missing before this one, from position 5 on'],
        'a deleted row is found'
    ),
    (
        $$delete from auth.audit_logs where id = (pg_temp.row_at(1)).id$$,
        array['2: rows are missing before this one, from position 1 on'],
        'at the beginning'
    ),
    (
        $$delete from auth.audit_logs where id = (pg_temp.row_at(9)).id$$,
        array['8: the head says 9 rows, the chain ends at 8'],
        'and at the end'
    ),
    (
        'delete from auth.audit_logs where created_at < ''2001-03-01''',
        array['0: the head says 9 rows, the chain ends at 0'],
        'and all of them'
    ),
    (
        $$delete from auth.audit_logs where id = (pg_temp.row_at(5)).id;
        update auth.audit_logs set chain_position = chain_position - 1
        where created_at < '2001-03-01' and chain_position > 5$$,
        array[
            '5: this row, its place or the hash before it is not what was sealed',
            '6: this row, its place or the hash before it is not what was sealed',
            '7: this row, its place or the hash before it is not what was sealed',
            '8: this row, its place or the hash before it is not what was sealed',
            '8: the head says 9 rows, the chain ends at 8'
        ],
        'to close the gap does not help'
    ),
    (
        $$update auth.audit_logs set chain_position = 9 - chain_position
        where created_at < '2001-03-01' and chain_position in (4, 5)$$,
        array[
            '4: this row, its place or the hash before it is not what was sealed',
            '5: this row, its place or the hash before it is not what was sealed',
            '6: this row, its place or the hash before it is not what was sealed'
        ],
        'rows in another order are found'
    ),
    (
        $$insert into auth.audit_logs (created_at, action, actor, chain_position, chain_hash)
        values ('2001-02-20 00:00:00+00', 'user.created', 'me', 5, sha256(''))$$,
        array[
            '5: another row has this position',
            '6: this row, its place or the hash before it is not what was sealed'
        ],
        'a row that was slipped in is found'
    ),
    (
        $$insert into auth.audit_logs (created_at, action, actor, chain_position, chain_hash)
        values ('2001-02-20 00:00:00+00', 'user.created', 'me', 10, sha256(''))$$,
        array[
            '10: this row, its place or the hash before it is not what was sealed',
            '10: the head says 9 rows, the chain ends at 10'
        ],
        'and one that was appended'
    ),
    (
        $$delete from auth.audit_heads where month = '2001-02-01'$$,
        array['9: the head says 0 rows, the chain ends at 9'],
        'a missing head is found'
    ),
    (
        $$update auth.audit_heads set chain_hash = sha256('') where month = '2001-02-01'$$,
        array['9: the head has another hash than the last row'],
        'and a changed one'
    ),
    (
        $$update auth.audit_logs set chain_position = null, chain_hash = null where id = (pg_temp.row_at(5)).id$$,
        array['6: rows are missing before this one, from position 5 on'],
        'a row can''t be taken out of the chain'
    ),
    (
        'alter table auth.audit_logs detach partition auth.audit_logs_2001_02',
        array['0: the head says 9 rows, the chain ends at 0'],
        'nor can a month be hidden'
    ),
    (
        $$delete from auth.audit_logs where id = (pg_temp.row_at(5)).id;
        select pg_temp.forge()$$,
        array[]::text[],
        'whoever works out a new chain is not found by the chain alone'
    )
) as change (statement, faults, description);

select
    results_eq(
        format('select * from pg_temp.faults_after(%L, 9, %L)', change.statement, (select sent.chain_hash from sent)),
        format('select unnest(%L::text[])', change.faults), change.description
    )
from (
    values
    (
        $$delete from auth.audit_logs where id = (pg_temp.row_at(9)).id;
        select pg_temp.forge()$$,
        array['8: the head that was sent outside says 9 rows, the chain ends at 8'],
        'but by the head that was sent outside: rows that were cut off'
    ),
    (
        $$update auth.audit_logs set actor = 'me' where id = (pg_temp.row_at(2)).id;
        select pg_temp.forge()$$,
        array['9: the hash here is not the one that was sent outside'],
        'and rows that were changed'
    )
) as change (statement, faults, description);

set local role aqm_monitor;
select lives_ok('select * from auth.verify_audit()', 'monitoring may check the audit');
set local role aqm_admin;
select throws_ok(
    'select * from auth.verify_audit()', '42501', 'permission denied for function verify_audit',
    'over HTTP nobody does'
);

select * from finish();
rollback;
