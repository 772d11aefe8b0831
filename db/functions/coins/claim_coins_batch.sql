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
set enable_hashjoin = off
set enable_mergejoin = off
set enable_sort = off
set enable_incremental_sort = off
as $$
declare
    -- A call whose element is 0 is done with; settle_claims() learns what was allowed at first.
    v_wanted integer[] := p_counts;
    v_allowed integer[];
    v_refused integer[];
    v_answered integer[] := array[]::integer[];
    v_allowance record;
    v_row coins.batch_claimed_coin;
    v_heeds_marks boolean;
    v_record_id bigint;
    v_low_from bigint;
    v_given_to integer[] := array[]::integer[];
    v_given_key_ids text[] := array[]::text[];
    v_to_tend integer[] := array[]::integer[];
    v_has_extras constant boolean := (
        num_nonnulls(variadic p_request_ids) > 0 or exists (select from coins.claim_quota as q where q.is_enabled)
    );
begin
    -- Request ids and quotas cost something only where there are any.
    if v_has_extras then
        v_refused := array(
            select c.number::integer
            from
                unnest(p_target_user_ids, p_requester_ids, p_coin_categories, p_counts)
                with ordinality as c (target_user_id, requester_id, coin_category, count, number)
            where coins.claim_refusal(c.target_user_id, c.requester_id, c.coin_category, c.count) is not null
        );
        for v_row in
            select * from coins.repeat_claims(
                p_target_user_ids, p_requester_ids, p_coin_categories, p_counts, p_request_ids, v_refused
            )
        loop
            return next v_row;
            v_answered := v_answered || v_row.call_number;
            v_wanted[v_row.call_number] := 0;
        end loop;
        for v_allowance in
            select * from coins.allow_claims(p_target_user_ids, p_requester_ids, p_counts, v_refused || v_answered)
        loop
            v_wanted[v_allowance.call_number] := v_allowance.allowance;
            if v_allowance.error_code is not null then
                return next (
                    v_allowance.call_number, v_allowance.error_code, 'the quota of coins for this recipient is used up',
                    'Retry-After: ' || v_allowance.retry_after, null, null, null, null
                )::coins.batch_claimed_coin;
                v_answered := v_answered || v_allowance.call_number;
            end if;
        end loop;
        v_allowed := v_wanted;
    end if;

    v_row := null;
    -- Once from the mark on; what comes out short then everywhere, since an upload that was slow to commit lies behind it.
    foreach v_heeds_marks in array array[true, false] loop
        for
            v_row.call_number, v_row.key_id, v_row.coin_category, v_row.public_key_blob, v_row.signature_blob,
            v_record_id, v_low_from
        in
            -- A queue is picked from once, for all calls on it: a lock of one's own is not skipped, so that two picks
            -- would find the same coins. No order is needed: who skips locks waits for nobody.
            with queue as materialized (
                select p.target_user_id, p.coin_category, array_agg(p.number) as call_numbers
                from (
                    select c.target_user_id, c.coin_category, c.number::integer as number, generate_series(1, c.wanted)
                    from
                        unnest(p_target_user_ids, p_requester_ids, p_coin_categories, v_wanted)
                        with ordinality as c (target_user_id, requester_id, coin_category, wanted, number)
                    where c.requester_id is not null and c.wanted between 1 and 100
                ) as p
                group by p.target_user_id, p.coin_category
            ),

            -- Lists side by side, not lateral joins: those cost a fifth of the whole claim (docs/adr/0016).
            picked as materialized (
                select
                    unnest(q.call_numbers) as call_number,
                    unnest(array(
                        select ci.ctid
                        from coins.coin_inventory as ci
                        where
                            ci.user_id = q.target_user_id
                            and ci.coin_category = q.coin_category
                            and ci.fetched_by is null
                            and (ci.uploaded_at, ci.record_id)
                            >= (coalesce(qm.uploaded_at, '-infinity'), coalesce(qm.record_id, 0))
                        order by ci.uploaded_at, ci.record_id
                        limit cardinality(q.call_numbers)
                        for update skip locked
                    )) as tid,
                    coalesce(qm.low_from, 0) as low_from
                from queue as q
                -- The limit keeps it a probe of the index for each queue, whatever the planner thinks of the marks.
                left join lateral (
                    select m.uploaded_at, m.record_id, m.low_from
                    from coins.queue_mark as m
                    where v_heeds_marks and m.user_id = q.target_user_id and m.coin_category = q.coin_category
                    limit 1
                ) as qm on true
            ),

            taken as (
                update coins.coin_inventory as ci
                set fetched_by = p_requester_ids[p.call_number], fetched_at = now()
                from picked as p
                where ci.ctid = p.tid
                returning
                    p.call_number, ci.key_id, ci.coin_category, ci.public_key_blob, ci.signature_blob,
                    ci.uploaded_at, ci.record_id, p.low_from
            )

            select
                t.call_number, t.key_id::text, t.coin_category::text, t.public_key_blob, t.signature_blob,
                t.record_id, t.low_from
            from taken as t
            order by t.call_number, t.uploaded_at, t.record_id
        loop
            return next v_row;
            v_wanted[v_row.call_number] := v_wanted[v_row.call_number] - 1;
            v_given_to := v_given_to || v_row.call_number;
            v_given_key_ids := v_given_key_ids || v_row.key_id;
            if v_record_id >= v_low_from or random() * 200 < 1 then
                v_to_tend := v_to_tend || v_row.call_number;
            end if;
        end loop;
        exit when 0 = all(v_wanted);
    end loop;

    -- Nothing for a call: it can't be served, or there are coins and yet others hold their locks for a moment.
    if (0 = all(v_wanted) and 0 <> all(p_counts)) is not true then
        return query
        select
            c.number::integer,
            case when c.refusal is null then '55P03' else '22023' end,
            coalesce(c.refusal, 'coins are locked by other claims'),
            null::text, null::text, null::text, null::bytea, null::bytea
        from (
            select
                asked.*,
                coins.claim_refusal(asked.target_user_id, asked.requester_id, asked.coin_category, asked.count) as refusal
            from
                unnest(p_target_user_ids, p_requester_ids, p_coin_categories, p_counts)
                with ordinality as asked (target_user_id, requester_id, coin_category, count, number)
            where asked.number <> all(v_answered) and asked.number <> all(v_given_to)
        ) as c
        where
            c.refusal is not null
            -- A value, not EXISTS, which beside OR may become a hash of everybody's stock; and in an order that only the
            -- queue's index has: a plan from the time when all tables were empty would scan what has come since.
            or (
                select true
                from coins.coin_inventory as ci
                where
                    ci.user_id = c.target_user_id
                    and ci.coin_category = c.coin_category
                    and ci.fetched_by is null
                order by ci.uploaded_at, ci.record_id
                limit 1
            );
    end if;

    if v_has_extras then
        perform coins.settle_claims(
            p_target_user_ids, p_requester_ids, p_coin_categories, p_counts, p_request_ids,
            v_allowed, v_refused || v_answered, v_given_to, v_given_key_ids
        );
    end if;
    if v_to_tend <> '{}' then
        perform coins.tend_queue(q.target_user_id, q.coin_category, q.taken)
        from (
            select
                p_target_user_ids[t.number] as target_user_id,
                p_coin_categories[t.number] as coin_category,
                count(*)::integer as taken,
                bool_or(t.number = any(v_to_tend)) as is_due
            from unnest(v_given_to) as t (number)
            group by p_target_user_ids[t.number], p_coin_categories[t.number]
        ) as q
        where q.is_due;
    end if;
end
$$;

comment on function coins.claim_coins_batch(uuid[], uuid[], text[], integer[], uuid[]) is
'Answers many calls of claim_coins() in one transaction; element n of each array belongs to call n.
p_target_user_ids: the recipients. p_requester_ids: the senders. p_coin_categories: GOLD, SILVER or BRONZE. p_counts: coins wanted, 1 to 100. p_request_ids: the senders'' ids for their claims, or nulls.
Returns the coins with the number of their call, counted from 1, oldest first, but for those of an upload that was slow to commit, which come last; a call without coins has no row. A refused call has one row with error_code, error_message and error_detail: 22023, PT422, PT410 or PT429 as claim_coins() would raise it, or 55P03 when the call must be made alone, because others hold locks for a moment, have the same request id or the rest of the quota.
Errors: none of its own.';

revoke all on function coins.claim_coins_batch(uuid[], uuid[], text[], integer[], uuid[]) from public;
grant execute on function coins.claim_coins_batch(uuid[], uuid[], text[], integer[], uuid[]) to aqm_device;
