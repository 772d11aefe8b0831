create or replace function coins.purge_stale(
    p_max_age_days integer default 30,
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
    if (p_max_age_days between 0 and 36500) is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'max_age_days must be between 0 and 36500';
    elsif p_limit < 1 then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be at least 1';
    end if;

    delete from coins.coin_inventory as ci
    where ci.ctid = any(array(
        select old.ctid
        from coins.coin_inventory as old
        where old.uploaded_at < now() - make_interval(days => p_max_age_days) and old.fetched_by is null
        order by old.uploaded_at
        limit p_limit
        for update skip locked
    ));
    get diagnostics deleted = row_count;
end
$$;

comment on function coins.purge_stale(integer, integer) is
'Deletes unclaimed coins that are older than so many days; waits for no claim and no claim waits for it.
p_max_age_days: age in days, 0 to 36500. p_limit: delete at most so many, the oldest first; null: all.
Returns how many were deleted. The scheduled job goes in slices of 5000 and asks coins.guard_purge_stale() first; a person''s call does as it is told.
Errors: 22023 for an argument out of range.';

revoke all on function coins.purge_stale(integer, integer) from public;
grant execute on function coins.purge_stale(integer, integer) to aqm_admin, aqm_jobs;

select gateway.expose('POST /v1/admin/purge-stale', 'coins.purge_stale');

-- After the dump of 03:00.
select ops.schedule_job(
    'purge_stale',
    '0 4 * * *',
    interval '1 day',
    p_step => 'coins.purge_stale(30, 5000)',
    p_guard => 'coins.guard_purge_stale(30)'
);
