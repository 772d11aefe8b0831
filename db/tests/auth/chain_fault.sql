begin;
select plan(6);

create function pg_temp.sealed(p_position bigint, p_before bytea)
returns auth.audit_logs
language plpgsql
as $$
declare
    v_row auth.audit_logs;
begin
    v_row.id := 1;
    v_row.created_at := '2001-02-03 00:00:00+00';
    v_row.action := 'user.created';
    v_row.actor := 'somebody';
    v_row.detail := '{}';
    v_row.chain_position := p_position;
    v_row.chain_hash := auth.chain_hash(p_before, v_row, p_position);
    return v_row;
end
$$;

select is(auth.chain_fault(pg_temp.sealed(1, null), 0, null), null, 'with the first row nothing is wrong');
select is(auth.chain_fault(pg_temp.sealed(5, '\x01'), 4, '\x01'), null, 'nor with a later one');
select is(
    auth.chain_fault(pg_temp.sealed(5, '\x01'), 4, '\x02'),
    'this row, its place or the hash before it is not what was sealed', 'a row must fit the one before it'
);
select is(
    auth.chain_fault(jsonb_populate_record(pg_temp.sealed(5, '\x01'), '{"actor": "me"}'), 4, '\x01'),
    'this row, its place or the hash before it is not what was sealed', 'a changed row is found'
);
select is(
    auth.chain_fault(pg_temp.sealed(5, '\x01'), 2, '\x01'), 'rows are missing before this one, from position 3 on',
    'missing rows are told'
);
select is(
    auth.chain_fault(pg_temp.sealed(5, '\x01'), 5, '\x01'), 'another row has this position', 'a place is for one row'
);

select * from finish();
rollback;
