create or replace function auth.purge_login_attempts(
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

    delete from auth.login_attempts as la
    where la.ctid = any(array(
        select old.ctid
        from auth.login_attempts as old
        where old.created_at < now() - interval '30 days'
        limit p_limit
        for update skip locked
    ));
    get diagnostics deleted = row_count;
end
$$;

comment on function auth.purge_login_attempts(integer) is
'Forgets who tried to log in more than 30 days ago; the lock-out looks back a day.
p_limit: delete at most so many; null: all.
Returns how many were deleted.
Errors: 22023 for an argument out of range.';

revoke all on function auth.purge_login_attempts(integer) from public;
grant execute on function auth.purge_login_attempts(integer) to aqm_jobs;

select ops.schedule_job(
    'purge_login_attempts',
    '37 * * * *',
    interval '1 hour',
    p_step => 'auth.purge_login_attempts(1000)'
);
