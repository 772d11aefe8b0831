create or replace function escrow.take_reviews_back(
    p_order escrow.orders
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform from escrow.user_profiles as u
    where u.wallet in (p_order.buyer_wallet, p_order.seller_wallet)
    order by u.wallet
    for no key update;
    with gone as (
        delete from escrow.reviews as r where r.order_id = p_order.id returning r.target_wallet, r.rating
    )

    update escrow.user_profiles as u
    set
        rating_count = u.rating_count - 1,
        rating_sum = u.rating_sum - g.rating,
        reputation_sum = u.reputation_sum - case when g.rating = 5 then 0.5 else 0 end,
        updated_at = now()
    from gone as g
    where u.wallet = g.target_wallet;
    if found then
        perform escrow.bust_profiles();
    end if;
end
$$;

comment on function escrow.take_reviews_back(escrow.orders) is
'Removes the reviews of an order that never was, and takes back what they counted: else two wallets that name each other in false orders would rate themselves.
p_order: which, locked.
Errors: none.';

revoke all on function escrow.take_reviews_back(escrow.orders) from public;
