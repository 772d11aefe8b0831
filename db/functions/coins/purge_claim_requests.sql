create or replace function coins.purge_claim_requests(
    p_max_age_hours integer default 24,
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
    if (p_max_age_hours between 0 and 876000) is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'max_age_hours must be between 0 and 876000';
    elsif p_limit < 1 then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be at least 1';
    end if;

    delete from coins.claim_request as cr
    where cr.ctid = any(array(
        select old.ctid
        from coins.claim_request as old
        where old.claimed_at < now() - make_interval(hours => p_max_age_hours)
        order by old.claimed_at
        limit p_limit
        for update skip locked
    ));
    get diagnostics deleted = row_count;
end
$$;

comment on function coins.purge_claim_requests(integer, integer) is
'Forgets the request ids of claims that are older than so many hours.
p_max_age_hours: age in hours, 0 to 876000. p_limit: delete at most so many, the oldest first; null: all.
Returns how many were deleted.
Errors: 22023 for an argument out of range.';

revoke all on function coins.purge_claim_requests(integer, integer) from public;
grant execute on function coins.purge_claim_requests(integer, integer) to aqm_jobs;

select ops.schedule_job(
    'purge_claim_requests',
    '27 * * * *',
    interval '1 hour',
    p_step => 'coins.purge_claim_requests(24, 5000)'
);
