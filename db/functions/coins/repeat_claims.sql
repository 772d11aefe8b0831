create or replace function coins.repeat_claims(
    p_target_user_ids uuid[],
    p_requester_ids uuid[],
    p_coin_categories text[],
    p_counts integer[],
    p_request_ids uuid[],
    p_answered integer[]
)
returns setof coins.batch_claimed_coin
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_call record;
    v_last_requester_id uuid;
    v_last_request_id uuid;
begin
    -- Request ids are locked, and everybody locks in one order.
    for v_call in
        select c.*
        from
            unnest(p_target_user_ids, p_requester_ids, p_coin_categories, p_counts, p_request_ids)
            with ordinality as c (target_user_id, requester_id, coin_category, count, request_id, number)
        where
            c.request_id is not null and c.number <> all(p_answered)
        order by c.requester_id, c.request_id, c.number
    loop
        if (v_call.requester_id, v_call.request_id) = (v_last_requester_id, v_last_request_id) then
            -- Its twin is in this very batch and not answered yet.
            return next (
                v_call.number, '55P03', 'another claim has this request id', null, null, null, null, null
            )::coins.batch_claimed_coin;
        else
            return query
            select
                v_call.number::integer, r.error_code, r.error_message, null::text,
                r.key_id, r.coin_category, r.public_key_blob, r.signature_blob
            from coins.repeat_claim(
                v_call.target_user_id, v_call.requester_id, v_call.coin_category, v_call.count, v_call.request_id
            ) as r;
        end if;
        v_last_requester_id := v_call.requester_id;
        v_last_request_id := v_call.request_id;
    end loop;
end
$$;

comment on function coins.repeat_claims(uuid[], uuid[], text[], integer[], uuid[], integer[]) is
'Answers those calls of a batch whose request id was answered before; element n of each array belongs to call n. All ids are locked until the transaction ends.
p_target_user_ids, p_requester_ids, p_coin_categories, p_counts, p_request_ids: as for claim_coins_batch(). p_answered: numbers of the calls that are answered already.
Returns the coins of the first answers, or a refusal a call; no row for a call that is new. 55P03: the same id is there twice.
Errors: none of its own.';

revoke all on function coins.repeat_claims(uuid[], uuid[], text[], integer[], uuid[], integer[]) from public;
