create or replace function auth.chain_fault(
    p_row auth.audit_logs,
    p_last_position bigint,
    p_last_hash bytea
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case
        when p_row.chain_position <= p_last_position then 'another row has this position'
        when p_row.chain_position > p_last_position + 1
            then format('rows are missing before this one, from position %s on', p_last_position + 1)
        when p_row.chain_hash <> auth.chain_hash(p_last_hash, p_row, p_row.chain_position)
            then 'this row, its place or the hash before it is not what was sealed'
    end;
end
$$;

comment on function auth.chain_fault(auth.audit_logs, bigint, bytea) is
'Says what is wrong with a sealed row of the audit.
p_row: the row. p_last_position: place of the row before it; 0: it is the first. p_last_hash: hash of the row before it.
Returns null when nothing is.
Errors: none.';

revoke all on function auth.chain_fault(auth.audit_logs, bigint, bytea) from public;
