create or replace function coins.tend_queue(
    p_user_id uuid,
    p_coin_category text,
    p_taken integer
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_low_stock constant integer := (select cc.low_stock from coins.coin_category as cc where cc.name = p_coin_category);
    v_mark record;
    v_newest record;
begin
    -- The newest coins, from the end of the queue at which claims seldom are. A row with xmax is being claimed by
    -- somebody right now, or was by somebody who rolled back.
    select
        count(*) filter (where n.claimer = 0) as untouched,
        -- Where the threshold is 0 nothing crosses it.
        coalesce(min(n.record_id), 9223372036854775807) as low_from
    into v_newest
    from (
        select ci.xmax as claimer, ci.record_id
        from coins.coin_inventory as ci
        where ci.user_id = p_user_id and ci.coin_category = p_coin_category and ci.fetched_by is null
        order by ci.uploaded_at desc, ci.record_id desc
        limit v_low_stock
    ) as n;
    -- Of claims that cross the threshold together the last to look sees the marks of all others: one of them speaks.
    if v_newest.untouched < v_low_stock
        and v_low_stock <= p_taken + (
            select count(*) from coins.coin_inventory as ci
            where ci.user_id = p_user_id and ci.coin_category = p_coin_category and ci.fetched_by is null
        )
    then
        perform pg_notify('coins_stock', p_user_id::text);
    end if;

    -- Nobody waits for a hint: where another claim is just moving it, it moves enough for both.
    if v_newest.untouched < v_low_stock
        or not pg_try_advisory_xact_lock(hashtextextended(format('coins.queue_mark %s %s', p_user_id, p_coin_category), 0))
    then
        return;
    end if;
    select
        coalesce(max(qm.uploaded_at), '-infinity') as uploaded_at,
        coalesce(max(qm.record_id), 0) as record_id
    into v_mark
    from coins.queue_mark as qm
    where qm.user_id = p_user_id and qm.coin_category = p_coin_category;
    insert into coins.queue_mark as qm (user_id, coin_category, uploaded_at, record_id, low_from)
    select ci.user_id, ci.coin_category, ci.uploaded_at, ci.record_id, v_newest.low_from
    from coins.coin_inventory as ci
    where
        ci.user_id = p_user_id
        and ci.coin_category = p_coin_category
        and ci.fetched_by is null
        and (ci.uploaded_at, ci.record_id) >= (v_mark.uploaded_at, v_mark.record_id)
    order by ci.uploaded_at, ci.record_id
    limit 1
    on conflict on constraint pk_queue_mark do update
    set
        uploaded_at = excluded.uploaded_at,
        record_id = excluded.record_id,
        low_from = excluded.low_from;
end
$$;

comment on function coins.tend_queue(uuid, text, integer) is
'Looks after a queue that coins were just taken from: tells those who watch when that took it below its threshold, at least once a crossing, and moves its mark, so that the next claims need neither look for that nor walk over what was claimed before.
p_user_id: whose coins. p_coin_category: GOLD, SILVER or BRONZE. p_taken: coins that the claim took.
Errors: none.';

revoke all on function coins.tend_queue(uuid, text, integer) from public;
