create or replace function ops.job_last_success(
    out scheduled_job text,
    out value double precision
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select j.name, coalesce(extract(epoch from j.last_success_at)::double precision, 0)
    from ops.scheduled_job as j
    where j.step is not null
    order by j.name;
end
$$;

comment on function ops.job_last_success() is
'Time of the last success of each scheduled job, in seconds since 1970; 0 before the first.
Errors: none.';

revoke all on function ops.job_last_success() from public;
grant execute on function ops.job_last_success() to aqm_monitor, aqm_gateway;

select gateway.expose_metric('aqm_job_last_success_seconds', 'ops.job_last_success');
