create or replace function ops.replication_lag(
    out replica text,
    out state text,
    out sync_state text,
    out bytes_behind numeric,
    out seconds_behind double precision
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if pg_is_in_recovery() then
        return query
        select
            'this server', 'replaying', null::text,
            pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()),
            -- An idle primary sends nothing: all that came is replayed, then it is not behind.
            case
                when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
                else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::double precision
            end;
        return;
    end if;
    return query
    select
        coalesce(nullif(r.application_name, ''), host(r.client_addr), 'pid ' || r.pid),
        r.state,
        r.sync_state,
        pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn),
        coalesce(extract(epoch from r.replay_lag)::double precision, 0)
    from pg_stat_replication as r
    order by 4 desc nulls last;
end
$$;

comment on function ops.replication_lag() is
'Shows how far each replica is behind, on the primary a row a replica, on a replica itself; none where there is no replication. Alert above 5 seconds.
Errors: none.';

revoke all on function ops.replication_lag() from public;
grant execute on function ops.replication_lag() to aqm_monitor;
