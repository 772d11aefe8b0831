create or replace function ops.dead_rows_percent(
    out table_name text,
    out value numeric
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- A table of a few pages is no news, however many of its rows are dead.
    return query
    select b.table_name, coalesce(b.dead_percent, 0)
    from ops.bloat() as b
    where b.live_rows + b.dead_rows > 10000;
end
$$;

comment on function ops.dead_rows_percent() is
'Share of dead rows in each table of more than 10,000 rows, in percent, from statistics.
Errors: none.';

revoke all on function ops.dead_rows_percent() from public;
grant execute on function ops.dead_rows_percent() to aqm_monitor, aqm_gateway;

select gateway.expose_metric('aqm_dead_rows_percent', 'ops.dead_rows_percent');
