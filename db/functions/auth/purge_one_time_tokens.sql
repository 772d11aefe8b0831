create or replace function auth.purge_one_time_tokens(
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

    delete from auth.one_time_tokens as ott
    where ott.ctid = any(array(
        select old.ctid
        from auth.one_time_tokens as old
        where old.expires_at < now()
        limit p_limit
        for update skip locked
    ));
    get diagnostics deleted = row_count;
end
$$;

comment on function auth.purge_one_time_tokens(integer) is
'Forgets one-time tokens that have expired, used or not.
p_limit: delete at most so many; null: all.
Returns how many were deleted.
Errors: 22023 for an argument out of range.';

revoke all on function auth.purge_one_time_tokens(integer) from public;
grant execute on function auth.purge_one_time_tokens(integer) to aqm_jobs;

select ops.schedule_job(
    'purge_one_time_tokens',
    '47 * * * *',
    interval '1 hour',
    p_step => 'auth.purge_one_time_tokens(1000)'
);
