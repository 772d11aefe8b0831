create or replace function coins.settle_claims(
    p_target_user_ids uuid[],
    p_requester_ids uuid[],
    p_coin_categories text[],
    p_counts integer[],
    p_request_ids uuid[],
    p_allowed integer[],
    p_answered integer[],
    p_given_numbers integer[],
    p_given_key_ids text[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into coins.claim_request (requester_id, request_id, entry, asked, key_ids)
    select
        p_requester_ids[g.number],
        p_request_ids[g.number],
        1,
        coins.digest_claim(p_target_user_ids[g.number], p_coin_categories[g.number], p_counts[g.number]),
        array_agg(g.key_id order by g.place)
    from unnest(p_given_numbers, p_given_key_ids) with ordinality as g (number, key_id, place)
    where p_request_ids[g.number] is not null
    group by g.number;

    perform coins.charge_quota(u.target_user_id, u.requester_id, u.given - u.allowed)
    from (
        select
            c.target_user_id,
            c.requester_id,
            c.allowed,
            (select count(*) from unnest(p_given_numbers) as g (number) where g.number = c.number)::integer as given
        from
            unnest(p_target_user_ids, p_requester_ids, p_allowed)
            with ordinality as c (target_user_id, requester_id, allowed, number)
        where c.number <> all(p_answered)
        order by c.target_user_id, c.requester_id
    ) as u
    where u.given < u.allowed and exists (select from coins.claim_quota as q where q.is_enabled);
end
$$;

comment on function coins.settle_claims(uuid[], uuid[], text[], integer[], uuid[], integer[], integer[], integer[], text[]) is
'Remembers what the calls of a batch with a request id were given, and gives back to the quotas what was not; element n of each array belongs to call n.
p_target_user_ids, p_requester_ids, p_coin_categories, p_counts, p_request_ids: as for claim_coins_batch(). p_allowed: coins that allow_claims() charged. p_answered: numbers of the calls that were answered without a claim. p_given_numbers, p_given_key_ids: a call''s number and a key for each coin.
Errors: none.';

revoke all on function coins.settle_claims(
    uuid[], uuid[], text[], integer[], uuid[], integer[], integer[], integer[], text[]
) from public;
