create or replace function coins.claim_many_refusal(
    p_requester_id uuid,
    p_claims coins.claim_wish[]
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_requester_id is null then
        return 'requester_id must not be null';
    elsif p_claims is null then
        return 'claims must not be null';
    elsif cardinality(p_claims) not between 1 and 100 then
        return 'claims must have 1 to 100 elements';
    end if;

    return coalesce(
        (
            select
                format(
                    'claims[%s].%s', w.place - 1,
                    coins.claim_refusal(w.target_user_id, p_requester_id, w.coin_category, w.count)
                )
            from
                unnest(p_claims)
                with ordinality as w (target_user_id, coin_category, count, accept_last_resort, place)
            where coins.claim_refusal(w.target_user_id, p_requester_id, w.coin_category, w.count) is not null
            order by w.place
            limit 1
        ),
        (
            select 'claims must ask for at most 1000 coins in all'
            from unnest(p_claims) as w
            having sum(w.count) > 1000
        )
    );
end
$$;

comment on function coins.claim_many_refusal(uuid, coins.claim_wish[]) is
'Says why a claim of many recipients can''t be served, or null when it can.
p_requester_id: the sender. p_claims: what is wanted of whom.
Errors: none.';

revoke all on function coins.claim_many_refusal(uuid, coins.claim_wish[]) from public;
