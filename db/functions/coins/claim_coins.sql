create or replace function coins.claim_coins(
    p_target_user_id uuid,
    p_requester_id uuid,
    p_coin_category text,
    p_count integer default 1
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
    v_refusal constant text := coins.claim_refusal(p_target_user_id, p_requester_id, p_coin_category, p_count);
begin
    if v_refusal is not null then
        raise exception using errcode = 'invalid_parameter_value', message = v_refusal;
    end if;

    for v_look in 0..5 loop
        return query
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
                order by pick.uploaded_at, pick.record_id
                limit p_count
                for update skip locked
            ))
            returning ci.key_id, ci.coin_category, ci.public_key_blob, ci.signature_blob, ci.uploaded_at, ci.record_id
        )

        select t.key_id::text, t.coin_category::text, t.public_key_blob, t.signature_blob
        from taken as t
        order by t.uploaded_at, t.record_id;

        -- Coins that another claim holds for a moment are not "none": look again, 50 ms at most.
        exit when found or v_look = 5 or not exists (
            select from coins.coin_inventory as ci
            where
                ci.user_id = p_target_user_id
                and ci.coin_category = p_coin_category
                and ci.fetched_by is null
        );
        perform pg_sleep(0.01);
    end loop;
end
$$;

comment on function coins.claim_coins(uuid, uuid, text, integer) is
'Claims the oldest unclaimed coins of a recipient for one sender; no other sender ever gets them.
p_target_user_id: the recipient. p_requester_id: the sender, remembered until the hard delete. p_coin_category: GOLD, SILVER or BRONZE. p_count: coins wanted, 1 to 100.
Returns the coins, oldest first; fewer than asked, or none, when there are no more. In psql: inside a transaction that is rolled back the coins go back on sale although you have seen them, so claim outside of BEGIN.
Errors: 22023 for a null, an unknown category or a count out of range.';

revoke all on function coins.claim_coins(uuid, uuid, text, integer) from public;
grant execute on function coins.claim_coins(uuid, uuid, text, integer) to aqm_device;

select gateway.expose(
    'GET /v1/coins/fetch',
    'coins.claim_coins',
    p_rows_as => 'coins',
    p_caller_argument => 'p_requester_id',
    p_batch_function => 'coins.claim_coins_batch'
);
