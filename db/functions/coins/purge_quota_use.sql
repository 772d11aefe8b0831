create or replace function coins.purge_quota_use(
    p_limit integer default null,
    out deleted bigint
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_limit < 1 then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be at least 1';
    end if;

    delete from coins.quota_use as qu
    where qu.ctid = any(array(
        select old.ctid
        from coins.quota_use as old
        where old.full_at < now()
        limit p_limit
        for update skip locked
    ));
    get diagnostics deleted = row_count;
end
$$;

comment on function coins.purge_quota_use(integer) is
'Forgets quotas that are full again, and with them who asked for whom.
p_limit: delete at most so many; null: all.
Returns how many were deleted.
Errors: 22023 for an argument out of range.';

revoke all on function coins.purge_quota_use(integer) from public;
grant execute on function coins.purge_quota_use(integer) to aqm_jobs;

-- No index on full_at, which each claim moves: a pass reads the table, so it takes much at once.
select ops.schedule_job(
    'purge_quota_use',
    '17 * * * *',
    interval '1 hour',
    p_step => 'coins.purge_quota_use(50000)'
);
