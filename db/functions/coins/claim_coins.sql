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
as $$
declare
    v_refusal text;
    v_has_quota boolean;
    v_quota record;
    v_known record;
    v_mark timestamptz;
    v_mark_record_id bigint;
    v_low_from bigint;
    v_coin coins.claimed_coin;
    v_record_id bigint;
    v_is_due boolean := random() * 200 < p_count;
    v_wanted integer := p_count;
    v_key_ids text[] := array[]::text[];
begin
    -- Small statements, each of one table: a larger one costs every claim more than it saves (docs/adr/0016).
    if p_target_user_id is null or p_requester_id is null or (p_count between 1 and 100) is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = coins.claim_refusal(p_target_user_id, p_requester_id, p_coin_category, p_count);
    end if;

    if p_request_id is not null then
        for v_known in
            select * from coins.repeat_claim(p_target_user_id, p_requester_id, p_coin_category, p_count, p_request_id)
        loop
            if v_known.error_code is not null then
                raise exception using errcode = v_known.error_code, message = v_known.error_message;
            end if;
            return next (v_known.key_id, v_known.coin_category, v_known.public_key_blob, v_known.signature_blob);
        end loop;
        if found then
            return;
        end if;
    end if;

    v_has_quota := exists (select from coins.claim_quota as q where q.is_enabled);
    if v_has_quota then
        select q.allowance, q.retry_after into v_quota from coins.open_quota(p_target_user_id, p_requester_id) as q;
        if v_quota.allowance = 0 then
            raise exception using errcode = 'PT429', message = 'the quota of coins for this recipient is used up',
                detail = 'Retry-After: ' || v_quota.retry_after;
        end if;
        v_wanted := least(p_count, v_quota.allowance);
    end if;

    select qm.uploaded_at, qm.record_id, qm.low_from
    into v_mark, v_mark_record_id, v_low_from
    from coins.queue_mark as qm
    where qm.user_id = p_target_user_id and qm.coin_category = p_coin_category;
    if not found then
        v_mark := '-infinity';
        v_mark_record_id := 0;
        v_low_from := 0;
    end if;

    for v_look in 0..6 loop
        for
            v_coin.key_id, v_coin.coin_category, v_coin.public_key_blob, v_coin.signature_blob, v_record_id
        in
            with taken as (
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
                        and (pick.uploaded_at, pick.record_id) >= (v_mark, v_mark_record_id)
                    order by pick.uploaded_at, pick.record_id
                    limit v_wanted - cardinality(v_key_ids)
                    for update skip locked
                ))
                returning
                    ci.key_id, ci.coin_category, ci.public_key_blob, ci.signature_blob, ci.uploaded_at, ci.record_id
            )

            select t.key_id::text, t.coin_category::text, t.public_key_blob, t.signature_blob, t.record_id
            from taken as t
            order by t.uploaded_at, t.record_id
        loop
            return next v_coin;
            v_key_ids := v_key_ids || v_coin.key_id;
            v_is_due := v_is_due or v_record_id >= v_low_from;
        end loop;
        exit when cardinality(v_key_ids) = v_wanted;

        if v_mark > '-infinity' then
            -- An upload that was slow to commit lies behind the mark.
            v_mark := '-infinity';
            continue;
        end if;
        exit when cardinality(v_key_ids) > 0;
        v_refusal := coins.claim_refusal(p_target_user_id, p_requester_id, p_coin_category, p_count);
        if v_refusal is not null then
            raise exception using errcode = 'invalid_parameter_value', message = v_refusal;
        end if;
        -- Coins that another claim holds for a moment are not "none": look again, 50 ms at most.
        exit when not exists (
            select from coins.coin_inventory as ci
            where
                ci.user_id = p_target_user_id
                and ci.coin_category = p_coin_category
                and ci.fetched_by is null
        );
        perform pg_sleep(0.01);
    end loop;
    if v_key_ids = '{}' then
        return;
    end if;

    if p_request_id is not null then
        insert into coins.claim_request (requester_id, request_id, entry, asked, key_ids)
        values (
            p_requester_id, p_request_id, 1,
            coins.digest_claim(p_target_user_id, p_coin_category, p_count), v_key_ids
        );
    end if;
    if v_has_quota then
        perform coins.charge_quota(p_target_user_id, p_requester_id, cardinality(v_key_ids));
    end if;
    if v_is_due then
        perform coins.tend_queue(p_target_user_id, p_coin_category, cardinality(v_key_ids));
    end if;
end
$$;

comment on function coins.claim_coins(uuid, uuid, text, integer, uuid) is
'Claims the oldest unclaimed coins of a recipient for one sender; no other sender ever gets them.
p_target_user_id: the recipient. p_requester_id: the sender, remembered until the hard delete. p_coin_category: GOLD, SILVER or BRONZE. p_count: coins wanted, 1 to 100. p_request_id: the sender''s own id for this claim: a retry with it gets the same coins again; null: each call is a claim of its own.
Returns the coins, oldest first; fewer than asked, or none, when there are no more or a quota leaves no more. None is not remembered under a request id. In psql: inside a transaction that is rolled back the coins go back on sale although you have seen them, so claim outside of BEGIN.
Errors: 22023 for a null, an unknown category or a count out of range; PT422 for a request id that was used for another claim; PT410 for one whose coins are hard-deleted; PT429 when a quota is used up, with the seconds to wait as detail.';

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
