create or replace function escrow.score_arbitrator(
    p_wallet text,
    p_has_resolved boolean
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update escrow.arbitrators as a
    set
        total_resolved = a.total_resolved + p_has_resolved::integer,
        reputation = changed.reputation,
        is_active = a.is_active and changed.reputation >= 10,
        updated_at = now()
    from (
        select
            old.wallet,
            greatest(0, least(100, old.reputation + case when p_has_resolved then 2 else -5 end)) as reputation
        from escrow.arbitrators as old
        where old.wallet = p_wallet
        for no key update
    ) as changed
    where a.wallet = changed.wallet;
    perform gateway.bust_cache('escrow.list_arbitrators');
end
$$;

comment on function escrow.score_arbitrator(text, boolean) is
'Counts a ruling, or that none came in time, in an arbitrator''s reputation: 2 more, at most 100, or 5 less, at least 0; below 10 nobody stays active.
p_wallet: whose. p_has_resolved: there was a ruling.
Errors: none.';

revoke all on function escrow.score_arbitrator(text, boolean) from public;
