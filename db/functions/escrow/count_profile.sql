create or replace function escrow.count_profile(
    p_wallet text,
    out total_as_buyer integer,
    out total_as_seller integer,
    out reputation_sum numeric,
    out rating_count integer,
    out rating_sum integer
)
returns record
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    select
        count(*) filter (where escrow.is_trade(o.status) and o.buyer_wallet = p_wallet),
        count(*) filter (where escrow.is_trade(o.status) and o.seller_wallet = p_wallet),
        coalesce(sum(escrow.trade_score(o.status, o.seller_wallet = p_wallet, o.cancelled_by = p_wallet)), 0)
    into total_as_buyer, total_as_seller, reputation_sum
    from escrow.orders as o
    where o.buyer_wallet = p_wallet or o.seller_wallet = p_wallet;

    select
        count(*), coalesce(sum(v.rating), 0), count_profile.reputation_sum + 0.5 * count(*) filter (where v.rating = 5)
    into rating_count, rating_sum, reputation_sum
    from escrow.reviews as v
    where v.target_wallet = p_wallet;
end
$$;

comment on function escrow.count_profile(text) is
'Counts somebody''s orders and reviews from scratch.
p_wallet: whose.
Returns what the columns of those names in user_profiles must be.
Errors: none.';

revoke all on function escrow.count_profile(text) from public;
