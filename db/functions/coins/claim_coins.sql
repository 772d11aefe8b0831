create or replace function coins.claim_coins(
    p_target_user_id uuid,
    p_requester_id uuid,
    p_coin_category text,
    p_count integer default 1,
    p_request_id uuid default null
)
returns setof coins.claimed_coin
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_sort = off
set enable_incremental_sort = off
as $$
declare
    v_mark record;
    v_coin coins.claimed_coin;
    v_record_id bigint;
    v_row record;
begin
    -- By far the most frequent claim: one coin, nothing to remember, no quota. It is spared what the others need; small
    -- statements, each of one table, since a larger one costs more than it saves (docs/adr/0016).
    if p_count = 1 and p_requester_id is not null and p_request_id is null then
        select qm.uploaded_at, qm.record_id, qm.low_from
        into v_mark
        from coins.queue_mark as qm
        where qm.user_id = p_target_user_id and qm.coin_category = p_coin_category;

        update coins.coin_inventory as ci
        set fetched_by = p_requester_id, fetched_at = now()
        -- An array, never a join or IN: those can run the limited query again and take more.
        where ci.ctid = any(array(
            select pick.ctid
            from coins.coin_inventory as pick
            where
                pick.user_id = p_target_user_id
                and pick.coin_category = p_coin_category
                and pick.fetched_by is null
                and (pick.uploaded_at, pick.record_id)
                >= (coalesce(v_mark.uploaded_at, '-infinity'), coalesce(v_mark.record_id, 0))
                and not exists (select from coins.claim_quota as q where q.is_enabled)
            order by pick.uploaded_at, pick.record_id
            limit 1
            for update skip locked
        ))
        returning ci.key_id, ci.coin_category, ci.public_key_blob, ci.signature_blob, ci.record_id
        into v_coin.key_id, v_coin.coin_category, v_coin.public_key_blob, v_coin.signature_blob, v_record_id;
        if found then
            return next v_coin;
            if v_mark.low_from is null or v_record_id >= v_mark.low_from or random() * 200 < 1 then
                perform coins.tend_queue(p_target_user_id, p_coin_category, 1);
            end if;
            return;
        end if;
    end if;

    -- Any other is a batch of one. Coins that another claim holds for a moment are not "none": look again, 50 ms at most.
    for v_look in 0..5 loop
        for v_row in
            select *
            from coins.claim_coins_batch(
                array[p_target_user_id], array[p_requester_id], array[p_coin_category], array[p_count],
                array[p_request_id]
            )
        loop
            if v_row.error_code is null then
                return next (v_row.key_id, v_row.coin_category, v_row.public_key_blob, v_row.signature_blob);
            elsif v_row.error_detail is not null then
                raise exception using
                    errcode = v_row.error_code, message = v_row.error_message, detail = v_row.error_detail;
            elsif v_row.error_code <> '55P03' then
                raise exception using errcode = v_row.error_code, message = v_row.error_message;
            end if;
        end loop;
        exit when v_row.error_code is distinct from '55P03' or v_look = 5;
        perform pg_sleep(0.01);
    end loop;
end
$$;

comment on function coins.claim_coins(uuid, uuid, text, integer, uuid) is
'Claims the oldest unclaimed coins of a recipient for one sender; no other sender ever gets them.
p_target_user_id: the recipient. p_requester_id: the sender, remembered until the hard delete. p_coin_category: GOLD, SILVER or BRONZE. p_count: coins wanted, 1 to 100. p_request_id: the sender''s own id for this claim: a retry with it gets the same coins again; null: each call is a claim of its own.
Returns the coins, oldest first, but for those of an upload that was slow to commit, which come last; fewer than asked, or none, when there are no more or a quota leaves no more. None is not remembered under a request id. In psql: inside a transaction that is rolled back the coins go back on sale although you have seen them, so claim outside of BEGIN.
Errors: 22023 for a null, an unknown category or a count out of range; PT422 for a request id that was used for another claim; PT410 for one whose coins are hard-deleted; PT429 when a quota is used up, with the seconds to wait as detail. Coins that others hold are waited for, 50 ms at most, where the batch says 55P03.';

revoke all on function coins.claim_coins(uuid, uuid, text, integer, uuid) from public;
grant execute on function coins.claim_coins(uuid, uuid, text, integer, uuid) to aqm_device;

select gateway.expose(
    'GET /v1/coins/fetch',
    'coins.claim_coins',
    p_rows_as => 'coins',
    p_caller_argument => 'p_requester_id',
    p_headers => '{"Idempotency-Key": "p_request_id"}',
    p_batch_function => 'coins.claim_coins_batch'
);
