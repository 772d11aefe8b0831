create or replace function coins.make_outcomes(
    p_requester_id uuid,
    p_claims coins.claim_wish[]
)
returns setof coins.claim_outcome
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_targets uuid[];
    v_categories text[];
    v_counts integer[];
    v_open integer[];
    v_rows coins.batch_claimed_coin[] := array[]::coins.batch_claimed_coin[];
    v_new coins.batch_claimed_coin[];
begin
    select array_agg(w.target_user_id order by w.place), array_agg(w.coin_category order by w.place),
        array_agg(w.count::integer order by w.place), array_agg(w.place::integer order by w.place)
    into v_targets, v_categories, v_counts, v_open
    from
        unnest(p_claims)
        with ordinality as w (target_user_id, coin_category, count, accept_last_resort, place);

    for v_look in 0..5 loop
        v_new := array(
            select (
                v_open[b.call_number], b.error_code, b.error_message, b.error_detail,
                b.key_id, b.coin_category, b.public_key_blob, b.signature_blob
            )::coins.batch_claimed_coin
            from coins.claim_coins_batch(
                array(select v_targets[o.n] from unnest(v_open) with ordinality as o (n, place) order by o.place),
                array_fill(p_requester_id, array[cardinality(v_open)]),
                array(select v_categories[o.n] from unnest(v_open) with ordinality as o (n, place) order by o.place),
                array(select v_counts[o.n] from unnest(v_open) with ordinality as o (n, place) order by o.place),
                array_fill(null::uuid, array[cardinality(v_open)])
            ) as b
        );
        v_rows := v_rows || v_new;
        -- Coins that another claim holds for a moment are not "none": look again, 50 ms at most.
        v_open := array(select n.call_number from unnest(v_new) as n where n.error_code = '55P03');
        exit when v_open = '{}' or v_look = 5;
        perform pg_sleep(0.01);
    end loop;

    return query
    select
        w.target_user_id,
        w.coin_category,
        w.count::integer,
        (
            select count(*)::integer from coins.coin_inventory as ci
            where
                ci.user_id = w.target_user_id
                and ci.coin_category = w.coin_category
                and ci.fetched_by is null
        ),
        (
            select substring(r.error_detail from '[0-9]+')::integer
            from unnest(v_rows) as r
            where r.call_number = w.place and r.error_code = 'PT429'
        ),
        case
            when given.coins = '{}' and w.accept_last_resort
                then array(select l from coins.find_last_resort(w.target_user_id, w.coin_category) as l)
            else given.coins
        end
    from
        unnest(p_claims)
        with ordinality as w (target_user_id, coin_category, count, accept_last_resort, place)
    cross join lateral (
        select array(
            select (r.key_id, r.coin_category, r.public_key_blob, r.signature_blob, false)::coins.given_coin
            from unnest(v_rows) with ordinality as r (
                call_number, error_code, error_message, error_detail,
                key_id, coin_category, public_key_blob, signature_blob, place
            )
            where r.call_number = w.place and r.key_id is not null
            order by r.place
        ) as coins
    ) as given
    order by w.place;
end
$$;

comment on function coins.make_outcomes(uuid, coins.claim_wish[]) is
'Does the work of claim_many(): claims through claim_coins_batch() and adds what is left and the last-resort coins.
p_requester_id: the sender. p_claims: what is wanted of whom, checked by claim_many_refusal().
Returns an outcome an element, in their order.
Errors: none of its own; a PT429 of the batch becomes retry_after, a 55P03 is tried again.';

revoke all on function coins.make_outcomes(uuid, coins.claim_wish[]) from public;
