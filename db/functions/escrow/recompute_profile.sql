create or replace function escrow.recompute_profile(
    p_wallet gateway.wallet
)
returns setof escrow.profile_view
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Locked first: what is counted below can't change before it is written.
    perform from escrow.user_profiles as u where u.wallet = p_wallet for no key update;
    if not found then
        return;
    end if;
    update escrow.user_profiles as u
    set
        total_trades = c.total_as_buyer + c.total_as_seller,
        total_as_buyer = c.total_as_buyer,
        total_as_seller = c.total_as_seller,
        reputation_sum = c.reputation_sum,
        rating_count = c.rating_count,
        rating_sum = c.rating_sum,
        updated_at = now()
    from escrow.count_profile(p_wallet) as c
    where u.wallet = p_wallet;
    perform escrow.bust_profiles();
    return query select * from escrow.find_profile(p_wallet);
end
$$;

comment on function escrow.recompute_profile(gateway.wallet) is
'Counts somebody''s orders and reviews from scratch, which must change nothing: each order and review is counted when it comes.
p_wallet: whose.
Returns the profile; no row when there is none.
Errors: none.';

revoke all on function escrow.recompute_profile(gateway.wallet) from public;
