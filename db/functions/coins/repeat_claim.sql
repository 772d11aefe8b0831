create or replace function coins.repeat_claim(
    p_target_user_id uuid,
    p_requester_id uuid,
    p_coin_category text,
    p_count integer,
    p_request_id uuid,
    out error_code text,
    out error_message text,
    out key_id text,
    out coin_category text,
    out public_key_blob bytea,
    out signature_blob bytea
)
returns setof record
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_request record;
begin
    select r.is_known, r.error_code, r.error_message
    into v_request
    from coins.find_request(
        p_requester_id, p_request_id, coins.digest_claim(p_target_user_id, p_coin_category, p_count)
    ) as r;
    if v_request.error_code is not null then
        error_code := v_request.error_code;
        error_message := v_request.error_message;
        return next;
    elsif v_request.is_known then
        return query
        select r.error_code, r.error_message, r.key_id, r.coin_category, r.public_key_blob, r.signature_blob
        from coins.claim_request as cr
        cross join lateral coins.recall_coins(p_target_user_id, p_requester_id, cr.key_ids) as r
        where cr.requester_id = p_requester_id and cr.request_id = p_request_id;
    end if;
end
$$;

comment on function coins.repeat_claim(uuid, uuid, text, integer, uuid) is
'Answers a claim whose request id was answered before; no row when the id is new, which is then locked until the transaction ends.
p_target_user_id, p_requester_id, p_coin_category, p_count: as for claim_coins(). p_request_id: the sender''s id for the claim.
Returns the coins of the first answer, or one row with error_code PT422 (the id was used with other arguments) or PT410 (the coins are hard-deleted).
Errors: none of its own.';

revoke all on function coins.repeat_claim(uuid, uuid, text, integer, uuid) from public;
