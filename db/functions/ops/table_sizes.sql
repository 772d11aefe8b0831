create or replace function ops.table_sizes(
    out table_name text,
    out total_size text,
    out table_size text,
    out toast_size text,
    out index_size text,
    out total_bytes bigint
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
        c.oid::regclass::text,
        pg_size_pretty(pg_total_relation_size(c.oid)),
        pg_size_pretty(pg_relation_size(c.oid)),
        pg_size_pretty(coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0)),
        pg_size_pretty(pg_indexes_size(c.oid)),
        pg_total_relation_size(c.oid)
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm', 'p') and n.nspname !~ '^(pg_|information_schema$)'
    order by pg_total_relation_size(c.oid) desc, c.oid;
end
$$;

comment on function ops.table_sizes() is
'Shows how much disk each table takes, the largest first. toast_size is where keys and signatures lie.
Errors: none.';

revoke all on function ops.table_sizes() from public;
grant execute on function ops.table_sizes() to aqm_monitor;
