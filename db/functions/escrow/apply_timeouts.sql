create or replace function escrow.apply_timeouts(
    p_limit integer default null,
    out applied bigint
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
    applied := escrow.end_overdue_orders(p_limit);
    -- Last, since steps lock arbitrators last.
    applied := applied + escrow.reassign_disputes((p_limit - applied)::integer);
end
$$;

comment on function escrow.apply_timeouts(integer) is
'Does what is due by time: orders that nobody confirmed expire after 24 hours, confirmed ones are completed after 72, disputes past their deadline, and those that have nobody, get an arbitrator.
p_limit: at most so many orders; null: all that are due.
Returns how many were changed.
Errors: 22023 for an argument out of range.';

revoke all on function escrow.apply_timeouts(integer) from public;
grant execute on function escrow.apply_timeouts(integer) to aqm_jobs;

select ops.schedule_job(
    'apply_timeouts',
    '*/5 * * * *',
    interval '5 minutes',
    p_step => 'escrow.apply_timeouts(100)'
);
