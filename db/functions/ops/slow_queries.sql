create or replace function ops.slow_queries(
    p_limit integer default 10,
    out query text,
    out calls bigint,
    out mean_ms double precision,
    out total_ms double precision
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- The extension needs a server that preloads it; without it there is nothing to show.
    if to_regclass('public.pg_stat_statements') is null
        or current_setting('pg_stat_statements.max', true) is null
    then
        raise notice 'pg_stat_statements is not loaded on this server: see docs/runbook.md';
        return;
    end if;
    return query execute '
        select left(regexp_replace(s.query, ''\s+'', '' '', ''g''), 80), s.calls,
            round(s.mean_exec_time::numeric, 6)::double precision, round(s.total_exec_time::numeric, 6)::double precision
        from public.pg_stat_statements as s
        where s.dbid = (select d.oid from pg_database as d where d.datname = current_database())
        order by s.mean_exec_time desc
        limit $1' using p_limit;
end
$$;

comment on function ops.slow_queries(integer) is
'Lists the statements with the highest mean time in this database, from pg_stat_statements; times in milliseconds.
p_limit: how many. Returns no row and a notice where the extension is missing.
Errors: 2201W for a negative limit.';

revoke all on function ops.slow_queries(integer) from public;
grant execute on function ops.slow_queries(integer) to aqm_monitor;
