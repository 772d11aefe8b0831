create or replace function escrow.purge_products(
    p_limit integer default null,
    p_keep_days integer default 90,
    out purged bigint
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_old uuid[];
    v_emptied bigint;
begin
    if p_limit < 1 then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be at least 1';
    elsif (p_keep_days between 1 and 36500) is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'keep_days must be between 1 and 36500';
    end if;

    v_old := array(
        select p.id
        from escrow.products as p
        where
            p.deleted_at < now() - make_interval(days => p_keep_days)
            -- Those that orders refer to are done when they are empty.
            and (
                p.title_preview <> '' or p.description_preview <> ''
                or not exists (select from escrow.orders as o where o.product_id = p.id)
            )
        limit p_limit
        for update skip locked
    );
    -- Looked at again now that they are locked: no order comes any more.
    update escrow.products as p
    set title_preview = '', description_preview = '', updated_at = now()
    where p.id = any(v_old) and exists (select from escrow.orders as o where o.product_id = p.id);
    get diagnostics v_emptied = row_count;
    delete from escrow.products as p
    where p.id = any(v_old) and not exists (select from escrow.orders as o where o.product_id = p.id);
    get diagnostics purged = row_count;
    purged := purged + v_emptied;
end
$$;

comment on function escrow.purge_products(integer, integer) is
'Forgets products that were deleted long ago; of one that an order refers to, the preview texts.
p_limit: at most so many; null: all. p_keep_days: days since they were deleted, 1 to 36500.
Returns how many.
Errors: 22023 for an argument out of range.';

revoke all on function escrow.purge_products(integer, integer) from public;
grant execute on function escrow.purge_products(integer, integer) to aqm_jobs;

select ops.schedule_job(
    'purge_products',
    '0 4 1 * *',
    interval '31 days',
    p_step => 'escrow.purge_products(1000)'
);
