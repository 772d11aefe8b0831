create or replace function coins.claim_many(
    p_requester_id uuid,
    p_claims coins.claim_wish[],
    p_request_id uuid default null
)
returns setof coins.claim_outcome
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_asked constant bytea := sha256(convert_to(p_claims::text, 'UTF8'));
    v_refusal text;
    v_request record;
    v_outcomes coins.claim_outcome[];
begin
    v_refusal := coins.claim_many_refusal(p_requester_id, p_claims);
    if v_refusal is not null then
        raise exception using errcode = 'invalid_parameter_value', message = v_refusal;
    end if;

    if p_request_id is not null then
        select r.is_known, r.error_code, r.error_message
        into v_request
        from coins.find_request(p_requester_id, p_request_id, v_asked) as r;
        if v_request.error_code is not null then
            raise exception using errcode = v_request.error_code, message = v_request.error_message;
        elsif v_request.is_known then
            return query select * from coins.repeat_outcomes(p_requester_id, p_claims, p_request_id);
            return;
        end if;
    end if;

    v_outcomes := array(select o from coins.make_outcomes(p_requester_id, p_claims) as o);
    if not exists (select from unnest(v_outcomes) as o where o.coins <> '{}') then
        if exists (select from unnest(v_outcomes) as o where o.retry_after is not null) then
            raise exception using errcode = 'PT429', message = 'the quota of coins for these recipients is used up',
                detail = 'Retry-After: ' || (select min(o.retry_after) from unnest(v_outcomes) as o);
        end if;
    elsif p_request_id is not null then
        insert into coins.claim_request (
            requester_id, request_id, entry, asked, key_ids, last_resort_key_id, remaining, retry_after
        )
        select
            p_requester_id, p_request_id, o.entry, v_asked,
            array(select c.key_id from unnest(o.coins) as c where not c.last_resort),
            (select c.key_id from unnest(o.coins) as c where c.last_resort),
            o.remaining, o.retry_after
        from
            unnest(v_outcomes)
            with ordinality as o (
                target_user_id, coin_category, requested, remaining, retry_after, coins, entry
            );
    end if;
    return query select * from unnest(v_outcomes);
end
$$;

comment on function coins.claim_many(uuid, coins.claim_wish[], uuid) is
'Claims coins of many recipients for one sender, in one transaction: for a group.
p_requester_id: the sender, remembered until the hard delete. p_claims: what is wanted of whom, 1 to 100 elements and at most 1000 coins in all. p_request_id: the sender''s own id for this claim: a retry with it gets the same answer again.
Returns an outcome an element, in their order: the coins, oldest first, how many are left, and, where a quota gave nothing, the seconds to wait. A recipient who has no coin for the sender gives the last-resort coin, if there is one and the sender accepts it, whatever the quota says: it drains nothing.
Errors: 22023 naming the element for a null, an unknown category or a count out of range; PT422 for a request id that was used for another claim; PT410 for one whose coins are deleted; PT429 when there is no coin at all and a quota is the reason, with the seconds to wait as detail.';

revoke all on function coins.claim_many(uuid, coins.claim_wish[], uuid) from public;
grant execute on function coins.claim_many(uuid, coins.claim_wish[], uuid) to aqm_device;

select gateway.expose(
    'POST /v1/coins/claim',
    'coins.claim_many',
    p_rows_as => 'claims',
    p_caller_argument => 'p_requester_id',
    p_headers => '{"Idempotency-Key": "p_request_id"}'
);
