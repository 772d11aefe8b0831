create or replace function coins.hard_delete_fetched(
    p_grace_hours integer default 1,
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
    if (p_grace_hours between 0 and 876000) is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'grace_hours must be between 0 and 876000';
    elsif p_limit < 1 then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be at least 1';
    end if;

    perform coins.add_spent_month(now()::date);
    with gone as (
        delete from coins.coin_inventory as ci
        where ci.ctid = any(array(
            select old.ctid
            from coins.coin_inventory as old
            where old.fetched_at < now() - make_interval(hours => p_grace_hours) and old.fetched_by is not null
            order by old.fetched_at
            limit p_limit
            for update skip locked
        ))
        returning ci.user_id, ci.key_id, ci.public_key_digest
    ),

    -- In the same statement: there is no moment at which a coin is neither in stock nor known as spent.
    remembered as (
        insert into coins.spent_coin as sc (user_id, month, digests)
        select
            g.user_id,
            date_trunc('month', now()),
            coins.digests(array_agg(convert_to(g.key_id, 'UTF8'))) || array_agg(g.public_key_digest)
        from gone as g
        group by g.user_id
        -- Two purges at once wait for each other's users in one order.
        order by g.user_id
        on conflict on constraint pk_spent_coin do update set digests = sc.digests || excluded.digests
    )

    select count(*) into deleted from gone;
end
$$;

comment on function coins.hard_delete_fetched(integer, integer) is
'Deletes claimed coins whose grace period is over and remembers them as spent; waits for no claim and no claim waits for it.
p_grace_hours: hours since the claim, 0 to 876000. p_limit: delete at most so many, the oldest claims first; null: all.
Returns how many were deleted.
Errors: 22023 for an argument out of range.';

revoke all on function coins.hard_delete_fetched(integer, integer) from public;
grant execute on function coins.hard_delete_fetched(integer, integer) to aqm_admin, aqm_jobs;

select gateway.expose('POST /v1/admin/hard-delete', 'coins.hard_delete_fetched');

select ops.schedule_job(
    'hard_delete_fetched',
    '7 * * * *',
    interval '1 hour',
    p_step => 'coins.hard_delete_fetched(1, 5000)'
);
