create or replace function coins.claim_coins_batch(
    p_target_user_ids uuid[],
    p_requester_ids uuid[],
    p_coin_categories text[],
    p_counts integer[]
)
returns setof coins.batch_claimed_coin
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
begin
    return query
    with call as materialized (
        select
            c.number::integer as number,
            c.target_user_id,
            c.requester_id,
            c.coin_category,
            c.count,
            coins.claim_refusal(c.target_user_id, c.requester_id, c.coin_category, c.count) as refusal
        from
            unnest(p_target_user_ids, p_requester_ids, p_coin_categories, p_counts)
            with ordinality as c (target_user_id, requester_id, coin_category, count, number)
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
        where c.refusal is null
        window w as (partition by c.target_user_id, c.coin_category order by c.number)
    ),

    -- Each queue is picked from once: a lock of one's own is not skipped, so that two picks would
    -- give one coin to two calls. No order is needed: who skips locks waits for nobody.
    queue as materialized (
        select p.target_user_id, p.coin_category, max(p.last_place) as wanted
        from place as p
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
        -- Nothing left for the call, yet not everything was ours: others hold locks for a moment.
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
        a.number, a.error_code, a.error_message,
        a.key_id, a.coin_category, a.public_key_blob, a.signature_blob
    from answer as a
    order by a.number, a.place;
end
$$;

comment on function coins.claim_coins_batch(uuid[], uuid[], text[], integer[]) is
'Answers many calls of claim_coins() in one statement and one transaction; element n of each array belongs to call n.
p_target_user_ids: the recipients. p_requester_ids: the senders. p_coin_categories: GOLD, SILVER or BRONZE. p_counts: coins wanted, 1 to 100.
Returns the coins with the number of their call, counted from 1, oldest first; a call without coins has no row. A refused call has one row with error_code and error_message: 22023 as claim_coins() would raise it, 55P03 when other claims hold locks, which claim_coins() waits for.
Errors: none of its own.';

revoke all on function coins.claim_coins_batch(uuid[], uuid[], text[], integer[]) from public;
grant execute on function coins.claim_coins_batch(uuid[], uuid[], text[], integer[]) to aqm_device;
