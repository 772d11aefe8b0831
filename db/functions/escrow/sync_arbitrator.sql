create or replace function escrow.sync_arbitrator(
    p_wallet text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_stake record;
begin
    -- A sign-in and an event that come at the same time see each other.
    perform pg_advisory_xact_lock(hashtextextended('escrow.sync_arbitrator ' || lower(p_wallet), 0));
    -- Blocks of two chains can't be compared: registered on one is registered.
    select s.amount, s.token, s.is_last into v_stake
    from (
        select distinct on (e.chain)
            e.chain,
            (e.payload ->> 'stake_amount')::numeric as amount,
            e.payload ->> 'stake_token' as token,
            not exists (
                select from escrow.chain_event as l
                where l.wallet = e.wallet and l.chain = e.chain and (l.block, l.log_index) > (e.block, e.log_index)
            ) as is_last
        from escrow.chain_event as e
        where
            e.wallet = lower(p_wallet) and e.kind = 'arbitrator_registered'
            and (e.payload ->> 'stake_amount')::numeric >= 500
        order by e.chain, e.block desc, e.log_index desc
    ) as s
    order by s.is_last desc, s.amount desc, s.chain
    limit 1;

    if not found then
        update escrow.arbitrators as a set is_active = false, updated_at = now()
        where lower(a.wallet) = lower(p_wallet) and a.is_active;
    else
        insert into escrow.arbitrators as a (wallet, stake_amount, stake_token, is_active)
        select u.wallet, v_stake.amount, v_stake.token, v_stake.is_last
        from escrow.user_profiles as u
        where lower(u.wallet) = lower(p_wallet)
        on conflict (wallet) do update
        set
            stake_amount = excluded.stake_amount,
            stake_token = excluded.stake_token,
            is_active = excluded.is_active and a.reputation >= 10,
            updated_at = now();
    end if;
    if found then
        perform gateway.bust_cache('escrow.list_arbitrators');
    end if;
end
$$;

comment on function escrow.sync_arbitrator(text) is
'Makes somebody the arbitrator that the events of the chains say: registered where the last event of a chain registers a stake of at least 500, with the largest such stake; else not active. Reputation stays, and below 10 nobody becomes active. Without a profile nothing happens yet.
p_wallet: whom.
Errors: none.';

revoke all on function escrow.sync_arbitrator(text) from public;
