create or replace function escrow.add_review(
    p_order_id uuid,
    p_reviewer_wallet gateway.wallet,
    p_rating integer
)
returns setof escrow.review_view
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_order escrow.orders;
    v_actor text;
    v_review escrow.reviews;
begin
    if (p_rating between 1 and 5) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'rating must be between 1 and 5';
    end if;
    perform escrow.check_trader(p_reviewer_wallet, 'reviewer_wallet');
    -- Locked: it does not become another trade, or none, before this is committed.
    select o.* into v_order from escrow.orders as o where o.id = p_order_id for share;
    v_actor := escrow.actor_of(v_order, p_reviewer_wallet);
    -- Strangers are told the same of an order that there is and of one that there isn't, as everywhere.
    if v_actor is null then
        return;
    elsif v_actor = 'arbitrator' then
        raise exception using errcode = 'insufficient_privilege', constraint = 'not_party',
            message = 'reviewer_wallet is not a party of this order';
    elsif not escrow.is_trade(v_order.status) then
        raise exception using errcode = 'PT409', constraint = 'review_eligibility',
            message = format('an order that is %s can''t be reviewed', v_order.status);
    end if;

    insert into escrow.reviews as r (order_id, reviewer_wallet, target_wallet, rating)
    values (
        p_order_id, p_reviewer_wallet,
        case when p_reviewer_wallet = v_order.buyer_wallet then v_order.seller_wallet else v_order.buyer_wallet end,
        p_rating
    )
    on conflict on constraint uq_one_review_per_order do nothing
    returning r.* into v_review;
    if found then
        -- Added to what the row holds when its lock is had: of reviews that come at once, each counts.
        update escrow.user_profiles as u
        set
            rating_count = u.rating_count + 1,
            rating_sum = u.rating_sum + p_rating,
            reputation_sum = u.reputation_sum + case when p_rating = 5 then 0.5 else 0 end,
            updated_at = now()
        where u.wallet = v_review.target_wallet;
        perform gateway.bust_cache('escrow.find_profile');
        perform escrow.bust_products();
    else
        select r.* into v_review
        from escrow.reviews as r
        where r.order_id = p_order_id and r.reviewer_wallet = p_reviewer_wallet;
        if v_review.rating <> p_rating then
            raise exception using errcode = 'PT409', constraint = 'uq_one_review_per_order',
                message = 'reviewer_wallet has reviewed this order already';
        end if;
    end if;
    return query
    select
        v_review.id, v_review.order_id, v_review.reviewer_wallet::text, v_review.target_wallet::text, v_review.rating,
        v_review.created_at;
end
$$;

comment on function escrow.add_review(uuid, gateway.wallet, integer) is
'Says what one party of an order thinks of the other, once the order is completed or ruled on, and counts it in the other''s rating and reputation. Where the contract corrects the order afterwards, the review stays.
p_order_id: which. p_reviewer_wallet: the party that reviews. p_rating: 1 to 5 stars.
Returns the review; the same one when it is repeated; no row when there is no such order, or it is none of theirs.
Errors: 22023 for a rating out of range or a reviewer without a profile, 42501 for the arbitrator or a blacklisted wallet, PT409 for an order that is no trade (review_eligibility) and for a second review with another rating (uq_one_review_per_order).';

revoke all on function escrow.add_review(uuid, gateway.wallet, integer) from public;
grant execute on function escrow.add_review(uuid, gateway.wallet, integer) to aqm_wallet;

select gateway.expose(
    'POST /v1/escrow/orders/{order_id}/reviews', 'escrow.add_review', p_caller_argument => 'p_reviewer_wallet'
);
