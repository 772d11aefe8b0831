create or replace function coins.repeat_outcomes(
    p_requester_id uuid,
    p_claims coins.claim_wish[],
    p_request_id uuid
)
returns setof coins.claim_outcome
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_entry record;
    v_coins coins.given_coin[];
begin
    for v_entry in
        select
            w.target_user_id, w.coin_category, w.count::integer as count,
            cr.key_ids, cr.last_resort_key_id, cr.remaining, cr.retry_after
        from
            unnest(p_claims)
            with ordinality as w (target_user_id, coin_category, count, accept_last_resort, place)
        inner join coins.claim_request as cr
            on cr.requester_id = p_requester_id and cr.request_id = p_request_id and cr.entry = w.place
        order by w.place
    loop
        v_coins := array(
            select (r.key_id, r.coin_category, r.public_key_blob, r.signature_blob, false)::coins.given_coin
            from coins.recall_coins(v_entry.target_user_id, p_requester_id, v_entry.key_ids) as r
            where r.key_id is not null
        ) || array(
            select l
            from coins.find_last_resort(v_entry.target_user_id, v_entry.coin_category) as l
            where l.key_id = v_entry.last_resort_key_id
        );
        if cardinality(v_coins) < cardinality(v_entry.key_ids) + num_nonnulls(v_entry.last_resort_key_id) then
            raise exception using errcode = 'PT410', message = 'the coins of this request are deleted';
        end if;
        return next (
            v_entry.target_user_id, v_entry.coin_category, v_entry.count, v_entry.remaining, v_entry.retry_after, v_coins
        );
    end loop;
end
$$;

comment on function coins.repeat_outcomes(uuid, coins.claim_wish[], uuid) is
'Gives the outcomes of claim_many() again that were remembered under a request id.
p_requester_id: the sender. p_claims: what was asked, as the first time. p_request_id: a known id.
Returns the outcomes in their order.
Errors: PT410 when a coin is hard-deleted or a last-resort coin replaced.';

revoke all on function coins.repeat_outcomes(uuid, coins.claim_wish[], uuid) from public;
