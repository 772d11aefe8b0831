create or replace function coins.guard_purge_stale(
    p_max_age_days integer
)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before constant timestamptz := now() - make_interval(days => p_max_age_days);
    v_stale bigint;
    v_unclaimed bigint;
begin
    -- Few stale coins are the rule: only when there are many is the whole inventory counted.
    select count(*) into v_stale
    from (
        select from coins.coin_inventory as ci
        where ci.uploaded_at < v_before and ci.fetched_by is null
        limit 10001
    ) as some_stale;
    if v_stale <= 10000 then
        return null;
    end if;

    select count(*) filter (where ci.uploaded_at < v_before), count(*) into v_stale, v_unclaimed
    from coins.coin_inventory as ci
    where ci.fetched_by is null;
    if v_stale * 2 <= v_unclaimed then
        return null;
    end if;
    return format(
        '%s of %s unclaimed coins look older than %s days: has the clock jumped? If they are, run coins.purge_stale(%s) by hand',
        v_stale, v_unclaimed, p_max_age_days, p_max_age_days
    );
end
$$;

comment on function coins.guard_purge_stale(integer) is
'Says why the scheduled purge must not run, or null: it would remove more than half of all unclaimed coins and more than 10,000, as after a jump of the clock.
p_max_age_days: age in days that the purge will use.
Errors: 22008 for an age before all calendars.';

revoke all on function coins.guard_purge_stale(integer) from public;
grant execute on function coins.guard_purge_stale(integer) to aqm_jobs;
