create or replace function auth.purge_sessions(
    p_limit integer default null,
    p_keep_days integer default 30,
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
    elsif (p_keep_days between 1 and 36500) is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'keep_days must be between 1 and 36500';
    end if;

    delete from auth.sessions as s
    where s.ctid = any(array(
        select old.ctid
        from auth.sessions as old
        where least(old.deleted_at, old.expires_at) < now() - make_interval(days => p_keep_days)
        limit p_limit
        for update skip locked
    ));
    get diagnostics deleted = row_count;
end
$$;

comment on function auth.purge_sessions(integer, integer) is
'Forgets sessions that were ended or have expired.
p_limit: delete at most so many; null: all. p_keep_days: days since they were over, 1 to 36500; as long a refresh token that is used again is known for what it is.
Returns how many were deleted.
Errors: 22023 for an argument out of range.';

revoke all on function auth.purge_sessions(integer, integer) from public;
grant execute on function auth.purge_sessions(integer, integer) to aqm_jobs;

select ops.schedule_job(
    'purge_sessions',
    '27 * * * *',
    interval '1 hour',
    p_step => 'auth.purge_sessions(1000)'
);
