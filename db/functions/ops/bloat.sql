create or replace function ops.bloat(
    out table_name text,
    out live_rows bigint,
    out dead_rows bigint,
    out dead_percent numeric,
    out last_autovacuum timestamptz,
    out last_vacuum timestamptz
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
        s.n_live_tup,
        s.n_dead_tup,
        round(100.0 * s.n_dead_tup / nullif(s.n_live_tup + s.n_dead_tup, 0), 1),
        s.last_autovacuum,
        s.last_vacuum
    from pg_stat_user_tables as s
    order by s.n_dead_tup desc, s.relid;
end
$$;

comment on function ops.bloat() is
'Shows the dead rows that vacuum has yet to clear, from statistics, without reading the tables. Of a table of up to 10,000 rows it is no news, however many are dead: ops.dead_rows_percent(), which the alert at 20 percent reads, leaves those out.
Errors: none.';

revoke all on function ops.bloat() from public;
grant execute on function ops.bloat() to aqm_monitor;
