create or replace function ops.index_sizes(
    out table_name text,
    out index_name text,
    out index_size text,
    out scans bigint,
    out index_bytes bigint
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        s.relid::regclass::text,
        s.indexrelname::text,
        pg_size_pretty(pg_relation_size(s.indexrelid)),
        s.idx_scan,
        pg_relation_size(s.indexrelid)
    from pg_stat_user_indexes as s
    order by pg_relation_size(s.indexrelid) desc, s.indexrelid;
end
$$;

comment on function ops.index_sizes() is
'Shows how much disk each index takes and how often it was used since statistics began, the largest first.
Errors: none.';

revoke all on function ops.index_sizes() from public;
grant execute on function ops.index_sizes() to aqm_monitor;
