create or replace function ops.oldest_snapshot(
    out holder text,
    out role_name text,
    out state text,
    out since timestamptz,
    out transactions_behind integer
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select h.holder, h.role_name, h.state, h.since, age(h.xmin)
    from (
        select
            'session ' || a.pid as holder, a.usename::text as role_name, a.state, a.xact_start as since,
            coalesce(a.backend_xmin, a.backend_xid) as xmin
        from pg_stat_activity as a
        where a.pid <> pg_backend_pid()
        union all
        select 'replication slot ' || s.slot_name, null, case when s.active then 'active' else 'inactive' end, null,
            coalesce(s.xmin, s.catalog_xmin)
        from pg_replication_slots as s
        union all
        select 'prepared transaction ' || p.gid, p.owner::text, 'prepared', p.prepared, p.transaction
        from pg_prepared_xacts as p
    ) as h
    where h.xmin is not null
    order by age(h.xmin) desc, h.since
    limit 10;
end
$$;

comment on function ops.oldest_snapshot() is
'Shows who holds back vacuum, the worst first: sessions, replication slots and prepared transactions that still see old rows, and since when.
Errors: none.';

revoke all on function ops.oldest_snapshot() from public;
grant execute on function ops.oldest_snapshot() to aqm_monitor;
