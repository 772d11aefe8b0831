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
set jit = off
as $$
declare
    v_has_extras constant boolean := (
        num_nonnulls(variadic p_request_ids) > 0 or exists (select from coins.claim_quota as q where q.is_enabled)
    );
    v_row coins.batch_claimed_coin;
    v_allowed record;
    v_answered integer[] := array[]::integer[];
    v_counts integer[] := p_counts;
    v_numbers integer[] := array[]::integer[];
    v_key_ids text[] := array[]::text[];
begin
    -- Request ids and quotas cost a call something, and only a call that has them.
    if v_has_extras then
        for v_row in
            select * from coins.repeat_claims(
                p_target_user_ids, p_requester_ids, p_coin_categories, p_counts, p_request_ids
            )
        loop
            return next v_row;
            v_answered := v_answered || v_row.call_number;
        end loop;
        for v_allowed in
            select * from coins.allow_claims(
                p_target_user_ids, p_requester_ids, p_coin_categories, p_counts, v_answered
            )
        loop
            v_counts[v_allowed.call_number] := v_allowed.allowance;
            if v_allowed.allowance = 0 then
                return next (
                    v_allowed.call_number, 'PT429', 'the quota of coins for this recipient is used up',
                    'Retry-After: ' || v_allowed.retry_after, null, null, null, null
                )::coins.batch_claimed_coin;
                v_answered := v_answered || v_allowed.call_number;
            end if;
        end loop;
    end if;

    for v_row in
        with call as materialized (
            select
                c.number::integer as number,
                c.target_user_id,
                c.requester_id,
                c.coin_category,
                c.count,
                case
                    when
                        cc.name is null or c.target_user_id is null or c.requester_id is null
                        or (c.asked between 1 and 100) is not true
                        then coins.claim_refusal(c.target_user_id, c.requester_id, c.coin_category, c.asked)
                end as refusal
            from
                unnest(p_target_user_ids, p_requester_ids, p_coin_categories, p_counts, v_counts)
                with ordinality as c (target_user_id, requester_id, coin_category, asked, count, number)
            left join coins.coin_category as cc on cc.name = c.coin_category
            where c.number <> all(v_answered)
        ),

        -- Which places in the queue of its recipient and category a call is served from.
        place as materialized (
            select
                c.number,
                c.target_user_id,
                c.requester_id,
                c.coin_category,
                sum(c.count) over w - c.count as after_place,
                sum(c.count) over w as last_place
            from call as c
            where c.refusal is null and c.count > 0
            window w as (partition by c.target_user_id, c.coin_category order by c.number)
        ),

        -- Each queue is picked from once: a lock of one's own is not skipped, so that two picks would
        -- give one coin to two calls. No order is needed: who skips locks waits for nobody.
        queue as materialized (
            select
                p.target_user_id,
                p.coin_category,
                max(p.last_place) as wanted,
                coalesce(max(qm.uploaded_at), '-infinity') as mark,
                coalesce(max(qm.record_id), 0) as mark_record_id
            from place as p
            left join coins.queue_mark as qm
                on qm.user_id = p.target_user_id and qm.coin_category = p.coin_category
            group by p.target_user_id, p.coin_category
        ),

        picked as materialized (
            select
                q.target_user_id,
                q.coin_category,
                pick.tid,
                row_number() over (
                    partition by q.target_user_id, q.coin_category order by pick.uploaded_at, pick.record_id
                ) as place
            from queue as q
            cross join lateral (
                select ci.ctid as tid, ci.uploaded_at, ci.record_id
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

        taken as (
            update coins.coin_inventory as ci
            set fetched_by = given.requester_id, fetched_at = now()
            from (
                select p.number, p.requester_id, picked.tid, picked.place
                from picked
                inner join place as p
                    on
                        p.target_user_id = picked.target_user_id
                        and p.coin_category = picked.coin_category
                        and picked.place > p.after_place
                        and picked.place <= p.last_place
            ) as given
            where ci.ctid = given.tid
            returning
                given.number, given.place,
                ci.key_id::text, ci.coin_category::text, ci.public_key_blob, ci.signature_blob
        ),

        answer as (
            select
                t.number, null as error_code, null as error_message, t.place,
                t.key_id, t.coin_category, t.public_key_blob, t.signature_blob
            from taken as t
            union all
            select c.number, '22023', c.refusal, 0, null, null, null, null
            from call as c
            where c.refusal is not null
            union all
            -- Nothing left for the call, yet not everything was ours: others hold locks for a moment, or coins lie
            -- behind the mark.
            select p.number, '55P03', 'coins are locked by other claims', 0, null, null, null, null
            from place as p
            cross join lateral (
                select count(*) as coins from picked
                where picked.target_user_id = p.target_user_id and picked.coin_category = p.coin_category
            ) as ours
            where
                ours.coins <= p.after_place
                and ours.coins < (
                    select count(*) from (
                        select from coins.coin_inventory as ci
                        where
                            ci.user_id = p.target_user_id
                            and ci.coin_category = p.coin_category
                            and ci.fetched_by is null
                        limit ours.coins + 1
                    ) as unclaimed
                )
        )

        select
            a.number, a.error_code, a.error_message, null as error_detail,
            a.key_id, a.coin_category, a.public_key_blob, a.signature_blob
        from answer as a
        order by a.number, a.place
    loop
        return next v_row;
        if v_row.key_id is not null then
            v_numbers := v_numbers || v_row.call_number;
            v_key_ids := v_key_ids || v_row.key_id;
        elsif v_row.error_code = '22023' then
            v_answered := v_answered || v_row.call_number;
        end if;
    end loop;

    if v_has_extras then
        perform coins.settle_claims(
            p_target_user_ids, p_requester_ids, p_coin_categories, p_counts, p_request_ids,
            v_counts, v_answered, v_numbers, v_key_ids
        );
    end if;

    perform
        case
            when q.untouched < q.low_stock
                then coins.signal_low_stock(q.target_user_id, q.coin_category, q.given, q.low_stock)
        end,
        case
            when random() * 200 < q.given
                then coins.move_queue_mark(q.target_user_id, q.coin_category, q.mark, q.mark_record_id)
        end
    from (
        select
            g.target_user_id,
            g.coin_category,
            g.given,
            cc.low_stock,
            coalesce(qm.uploaded_at, '-infinity') as mark,
            coalesce(qm.record_id, 0) as mark_record_id,
            (
                -- The newest coins: while nobody claims at that end, there is enough.
                select count(*) filter (where newest.claimer = 0)
                from (
                    select ci.xmax as claimer
                    from coins.coin_inventory as ci
                    where
                        ci.user_id = g.target_user_id
                        and ci.coin_category = g.coin_category
                        and ci.fetched_by is null
                    order by ci.uploaded_at desc, ci.record_id desc
                    limit cc.low_stock
                ) as newest
            ) as untouched
        from (
            select
                p_target_user_ids[n.number] as target_user_id,
                p_coin_categories[n.number] as coin_category,
                count(*)::integer as given
            from unnest(v_numbers) as n (number)
            group by p_target_user_ids[n.number], p_coin_categories[n.number]
        ) as g
        inner join coins.coin_category as cc on cc.name = g.coin_category
        left join coins.queue_mark as qm on qm.user_id = g.target_user_id and qm.coin_category = g.coin_category
    ) as q;
end
$$;

comment on function coins.claim_coins_batch(uuid[], uuid[], text[], integer[], uuid[]) is
'Answers many calls of claim_coins() in one transaction; element n of each array belongs to call n.
p_target_user_ids: the recipients. p_requester_ids: the senders. p_coin_categories: GOLD, SILVER or BRONZE. p_counts: coins wanted, 1 to 100. p_request_ids: the senders'' ids for their claims, or nulls.
Returns the coins with the number of their call, counted from 1, oldest first; a call without coins has no row. A refused call has one row with error_code, error_message and error_detail: 22023, PT422, PT410 or PT429 as claim_coins() would raise it, or 55P03 when the call must be made alone, because others hold locks for a moment or have the same request id.
Errors: none of its own.';

revoke all on function coins.claim_coins_batch(uuid[], uuid[], text[], integer[], uuid[]) from public;
grant execute on function coins.claim_coins_batch(uuid[], uuid[], text[], integer[], uuid[]) to aqm_device;
