create or replace function coins.claim_coins_batch(
    p_target_user_ids uuid[],
    p_requester_ids uuid[],
    p_coin_categories text[],
    p_counts integer[],
    p_request_ids uuid[]
)
returns setof coins.batch_claimed_coin
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_answered integer[];
    v_counts integer[] := p_counts;
    v_row coins.batch_claimed_coin;
    v_allowed record;
    v_picked record;
    v_has_extras constant boolean := (
        num_nonnulls(variadic p_request_ids) > 0 or exists (select from coins.claim_quota as q where q.is_enabled)
    );
begin
    -- What can't be served.
    v_answered := array(
        select c.number::integer
        from
            unnest(p_target_user_ids, p_requester_ids, p_coin_categories, p_counts)
            with ordinality as c (target_user_id, requester_id, coin_category, count, number)
        left join coins.coin_category as cc on cc.name = c.coin_category
        where
            cc.name is null or c.target_user_id is null or c.requester_id is null
            or (c.count between 1 and 100) is not true
    );
    if v_answered <> '{}' then
        return query
        select
            r.number, '22023',
            coins.claim_refusal(
                p_target_user_ids[r.number], p_requester_ids[r.number], p_coin_categories[r.number], p_counts[r.number]
            ),
            null::text, null::text, null::text, null::bytea, null::bytea
        from unnest(v_answered) as r (number);
    end if;

    -- Request ids and quotas cost something only where there are any.
    if v_has_extras then
        for v_row in
            select * from coins.repeat_claims(
                p_target_user_ids, p_requester_ids, p_coin_categories, p_counts, p_request_ids, v_answered
            )
        loop
            return next v_row;
            v_answered := v_answered || v_row.call_number;
        end loop;
        for v_allowed in
            select * from coins.allow_claims(p_target_user_ids, p_requester_ids, p_counts, v_answered)
        loop
            v_counts[v_allowed.call_number] := v_allowed.allowance;
            if v_allowed.error_code is not null then
                return next (
                    v_allowed.call_number, v_allowed.error_code, 'the quota of coins for this recipient is used up',
                    'Retry-After: ' || v_allowed.retry_after, null, null, null, null
                )::coins.batch_claimed_coin;
                v_answered := v_answered || v_allowed.call_number;
            end if;
        end loop;
    end if;

    -- Which places in the queue of its recipient and category a call is served from.
    with place as materialized (
        select
            c.number::integer as number,
            c.target_user_id,
            c.coin_category,
            sum(c.count) over w - c.count as after_place,
            sum(c.count) over w as last_place
        from
            unnest(p_target_user_ids, p_coin_categories, v_counts)
            with ordinality as c (target_user_id, coin_category, count, number)
        where c.number <> all(v_answered)
        window w as (partition by c.target_user_id, c.coin_category order by c.number)
    ),

    -- Each queue is picked from once: a lock of one's own is not skipped, so that two picks would
    -- give one coin to two calls. No order is needed: who skips locks waits for nobody.
    queue as materialized (
        select
            asked.target_user_id,
            asked.coin_category,
            asked.wanted,
            coalesce(qm.uploaded_at, '-infinity') as mark,
            coalesce(qm.record_id, 0) as mark_record_id,
            coalesce(qm.low_from, 0) as low_from
        from (
            select p.target_user_id, p.coin_category, max(p.last_place) as wanted
            from place as p
            group by p.target_user_id, p.coin_category
        ) as asked
        left join coins.queue_mark as qm
            on qm.user_id = asked.target_user_id and qm.coin_category = asked.coin_category
    ),

    ahead as materialized (
        select q.target_user_id, q.coin_category, q.low_from, pick.*
        from queue as q
        cross join lateral (
            select ci.ctid as tid, ci.uploaded_at, ci.record_id, ci.key_id
            from coins.coin_inventory as ci
            where
                ci.user_id = q.target_user_id
                and ci.coin_category = q.coin_category
                and ci.fetched_by is null
                and (ci.uploaded_at, ci.record_id) >= (q.mark, q.mark_record_id)
            order by ci.uploaded_at, ci.record_id
            limit q.wanted
            for update skip locked
        ) as pick
    ),

    -- An upload that was slow to commit lies behind the mark.
    behind as materialized (
        select q.target_user_id, q.coin_category, q.low_from, pick.*
        from (
            select
                q.*,
                q.wanted - (
                    select count(*) from ahead as a
                    where a.target_user_id = q.target_user_id and a.coin_category = q.coin_category
                ) as short
            from queue as q
            where q.mark > '-infinity'
        ) as q
        cross join lateral (
            select ci.ctid as tid, ci.uploaded_at, ci.record_id, ci.key_id
            from coins.coin_inventory as ci
            where
                ci.user_id = q.target_user_id
                and ci.coin_category = q.coin_category
                and ci.fetched_by is null
                and (ci.uploaded_at, ci.record_id) < (q.mark, q.mark_record_id)
            order by ci.uploaded_at, ci.record_id
            limit q.short
            for update skip locked
        ) as pick
    ),

    picked as (
        select
            b.*,
            row_number() over (
                partition by b.target_user_id, b.coin_category order by b.uploaded_at, b.record_id
            ) as place
        from (select a.* from ahead as a union all select b.* from behind as b) as b
    )

    select
        coalesce(array_agg(g.number), '{}') as numbers,
        coalesce(array_agg(g.tid), '{}') as tids,
        coalesce(array_agg(g.key_id), '{}') as key_ids,
        array_agg(g.number) filter (where g.record_id >= g.low_from or random() * 200 < 1) as to_tend
    into v_picked
    from (
        select p.number, picked.tid, picked.key_id::text, picked.record_id, picked.low_from
        from picked
        inner join place as p
            on
                p.target_user_id = picked.target_user_id
                and p.coin_category = picked.coin_category
                and picked.place > p.after_place
                and picked.place <= p.last_place
        order by p.number, picked.place
    ) as g;

    return query
    with taken as (
        update coins.coin_inventory as ci
        set fetched_by = p_requester_ids[g.number], fetched_at = now()
        from unnest(v_picked.numbers, v_picked.tids) with ordinality as g (number, tid, place)
        where ci.ctid = g.tid
        returning
            g.number, g.place, ci.key_id::text, ci.coin_category::text, ci.public_key_blob, ci.signature_blob
    )

    select
        t.number, null::text, null::text, null::text,
        t.key_id, t.coin_category, t.public_key_blob, t.signature_blob
    from taken as t
    order by t.place;

    -- Nothing for the call and yet there are coins: others hold locks for a moment.
    return query
    select
        c.number::integer, '55P03', 'coins are locked by other claims', null::text,
        null::text, null::text, null::bytea, null::bytea
    from
        unnest(p_target_user_ids, p_coin_categories)
        with ordinality as c (target_user_id, coin_category, number)
    where
        c.number <> all(v_answered)
        and c.number <> all(v_picked.numbers)
        and exists (
            select from coins.coin_inventory as ci
            where
                ci.user_id = c.target_user_id
                and ci.coin_category = c.coin_category
                and ci.fetched_by is null
        );

    if v_has_extras then
        perform coins.settle_claims(
            p_target_user_ids, p_requester_ids, p_coin_categories, p_counts, p_request_ids,
            v_counts, v_answered, v_picked.numbers, v_picked.key_ids
        );
    end if;
    if v_picked.to_tend is not null then
        perform coins.tend_queue(q.target_user_id, q.coin_category, q.taken)
        from (
            select
                p_target_user_ids[t.number] as target_user_id,
                p_coin_categories[t.number] as coin_category,
                count(*)::integer as taken,
                bool_or(t.number = any(v_picked.to_tend)) as is_due
            from unnest(v_picked.numbers) as t (number)
            group by p_target_user_ids[t.number], p_coin_categories[t.number]
        ) as q
        where q.is_due;
    end if;
end
$$;

comment on function coins.claim_coins_batch(uuid[], uuid[], text[], integer[], uuid[]) is
'Answers many calls of claim_coins() in one transaction; element n of each array belongs to call n.
p_target_user_ids: the recipients. p_requester_ids: the senders. p_coin_categories: GOLD, SILVER or BRONZE. p_counts: coins wanted, 1 to 100. p_request_ids: the senders'' ids for their claims, or nulls.
Returns the coins with the number of their call, counted from 1, oldest first; a call without coins has no row. A refused call has one row with error_code, error_message and error_detail: 22023, PT422, PT410 or PT429 as claim_coins() would raise it, or 55P03 when the call must be made alone, because others hold locks for a moment, have the same request id or the rest of the quota.
Errors: none of its own.';

revoke all on function coins.claim_coins_batch(uuid[], uuid[], text[], integer[], uuid[]) from public;
grant execute on function coins.claim_coins_batch(uuid[], uuid[], text[], integer[], uuid[]) to aqm_device;
