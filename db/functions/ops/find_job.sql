create or replace function ops.find_job(
    p_job text,
    out step text,
    out guard text
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select j.step, j.guard from ops.scheduled_job as j
    where j.name = p_job and j.step is not null;
end
$$;

comment on function ops.find_job(text) is
'Gives the calls that make up a scheduled job.
p_job: name of the job.
Returns one row, none for an unknown job.
Errors: none.';

revoke all on function ops.find_job(text) from public;
grant execute on function ops.find_job(text) to aqm_jobs;
