create or replace function escrow.purge_messages(
    p_limit integer default null,
    out deleted bigint
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    if p_limit < 1 then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be at least 1';
    end if;

    -- A call looks through all orders: no index knows which of the old ones have messages left. So calls are few.
    delete from escrow.messages as m
    where m.ctid = any(array(
        select old.ctid
        from escrow.messages as old
        inner join escrow.orders as o on o.id = old.order_id
        where
            o.status in ('completed', 'resolved_buyer', 'resolved_seller', 'cancelled', 'expired')
            and o.updated_at < now() - interval '1 year'
        limit p_limit
        for update of old skip locked
    ));
    get diagnostics deleted = row_count;
end
$$;

comment on function escrow.purge_messages(integer) is
'Deletes the messages of orders that have been over for a year.
p_limit: delete at most so many; null: all.
Returns how many were deleted.
Errors: 22023 for an argument out of range.';

revoke all on function escrow.purge_messages(integer) from public;
grant execute on function escrow.purge_messages(integer) to aqm_jobs;

select ops.schedule_job(
    'purge_messages',
    '50 3 1 * *',
    interval '31 days',
    p_step => 'escrow.purge_messages(100000)'
);
