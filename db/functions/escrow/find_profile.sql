create or replace function escrow.find_profile(
    p_wallet gateway.wallet
)
returns setof escrow.profile_view
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        u.wallet::text, u.display_name::text, decode(u.public_key, 'base64'), u.reputation_score, u.total_trades,
        u.total_as_buyer, u.total_as_seller, u.rating, u.tier, u.is_blacklisted, u.created_at
    from escrow.user_profiles as u
    where u.wallet = p_wallet;
end
$$;

comment on function escrow.find_profile(gateway.wallet) is
'Tells who somebody of the marketplace is: name, key for messages, reputation.
p_wallet: whom.
Returns the profile; no row when there is none.
Errors: none.';

revoke all on function escrow.find_profile(gateway.wallet) from public;
grant execute on function escrow.find_profile(gateway.wallet) to aqm_anon, aqm_wallet, aqm_admin;

select gateway.expose(
    'GET /v1/escrow/profile/{wallet}', 'escrow.find_profile', p_may_use_replica => true, p_cache_seconds => 300
);
