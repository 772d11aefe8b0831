create or replace function coins.allow_claims(
    p_target_user_ids uuid[],
    p_requester_ids uuid[],
    p_counts integer[],
    p_answered integer[],
    out call_number integer,
    out allowance integer,
    out error_code text,
    out retry_after integer
)
returns setof record
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_call record;
    v_last_target_user_id uuid;
begin
    if not exists (select from coins.claim_quota as q where q.is_enabled) then
        return;
    end if;

    -- Quotas are locked, and everybody locks in one order.
    for v_call in
        select c.number::integer as number, c.target_user_id, c.requester_id, c.count
        from
            unnest(p_target_user_ids, p_requester_ids, p_counts)
            with ordinality as c (target_user_id, requester_id, count, number)
        where c.number <> all(p_answered)
        order by c.target_user_id, c.requester_id, c.number
    loop
        call_number := v_call.number;
        select least(q.allowance, v_call.count), q.retry_after
        into allowance, retry_after
        from coins.open_quota(v_call.target_user_id, v_call.requester_id) as q;
        -- At once, since the next call may be of the same quota; settle_claims() gives back what was not used. So a call
        -- behind another on the same recipient is not refused: alone it may find something left.
        perform coins.charge_quota(v_call.target_user_id, v_call.requester_id, allowance);
        error_code := case
            when allowance > 0 then null
            when v_call.target_user_id = v_last_target_user_id then '55P03'
            else 'PT429'
        end;
        if allowance > 0 then
            v_last_target_user_id := v_call.target_user_id;
        end if;
        return next;
    end loop;
end
$$;

comment on function coins.allow_claims(uuid[], uuid[], integer[], integer[]) is
'Says how many coins the quotas leave to the calls of a batch, and charges them with it; element n of each array belongs to call n.
p_target_user_ids, p_requester_ids, p_counts: as for claim_coins_batch(). p_answered: numbers of the calls that are answered already.
Returns the number of the call, the coins it may have, and, where that is 0, an error_code, PT429 or 55P03 (to be made alone), and the seconds until there is one. No row where no quota is enabled.
Errors: none.';

revoke all on function coins.allow_claims(uuid[], uuid[], integer[], integer[]) from public;
