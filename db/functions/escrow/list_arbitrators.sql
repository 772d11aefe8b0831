create or replace function escrow.list_arbitrators()
returns setof escrow.arbitrator_view
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        a.wallet::text, u.display_name::text, decode(u.public_key, 'base64'), a.reputation, a.total_resolved,
        a.stake_amount, a.stake_token::text, a.registered_at
    from escrow.arbitrators as a
    inner join escrow.user_profiles as u on u.wallet = a.wallet
    where a.is_active and not u.is_blacklisted
    order by a.reputation desc, a.total_resolved desc, a.wallet;
end
$$;

comment on function escrow.list_arbitrators() is
'Lists who may be chosen to rule on disputes.
Returns the active arbitrators who aren''t blacklisted, the best reputation first.
Errors: none.';

revoke all on function escrow.list_arbitrators() from public;
grant execute on function escrow.list_arbitrators() to aqm_anon, aqm_wallet, aqm_admin;

select gateway.expose(
    'GET /v1/escrow/arbitrators', 'escrow.list_arbitrators', 'arbitrators',
    p_may_use_replica => true, p_cache_seconds => 60
);
