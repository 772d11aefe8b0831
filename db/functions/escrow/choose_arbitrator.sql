create or replace function escrow.choose_arbitrator(
    p_buyer_wallet text,
    p_seller_wallet text,
    p_but text default null
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_wallet text;
begin
    -- One after the other: whether there is a conflict is asked of the few who come first, not of all.
    for v_wallet in
        select a.wallet
        from escrow.arbitrators as a
        inner join escrow.user_profiles as u on u.wallet = a.wallet
        where a.is_active and not u.is_blacklisted and a.wallet not in (p_buyer_wallet, p_seller_wallet)
        -- Chance alone: what else could be looked at, like how many open disputes each has, somebody can bring about.
        order by a.wallet is not distinct from p_but, random()
    loop
        continue when exists (
            select from escrow.orders as o
            where
                -- Only what they did themselves: an order costs nothing, and a party could place one with each who is not
                -- wanted.
                (
                    o.buyer_wallet = v_wallet and o.seller_wallet in (p_buyer_wallet, p_seller_wallet)
                    or o.seller_wallet = v_wallet and o.buyer_wallet in (p_buyer_wallet, p_seller_wallet)
                    and o.seller_confirmed_at is not null
                )
                and o.created_at > now() - interval '30 days'
        );
        continue when exists (
            select from escrow.orders as o
            where
                o.arbitrator_wallet = v_wallet
                and (
                    o.buyer_wallet in (p_buyer_wallet, p_seller_wallet)
                    or o.seller_wallet in (p_buyer_wallet, p_seller_wallet)
                )
                and o.status in ('resolved_buyer', 'resolved_seller')
                and o.updated_at > now() - interval '7 days'
        );
        return v_wallet;
    end loop;
    return null;
end
$$;

comment on function escrow.choose_arbitrator(text, text, text) is
'Chooses who rules on a dispute: by chance among the active arbitrators that are not blacklisted and have no conflict of interest, which is a trade with either party in 30 days (an order that they placed, or confirmed) or a ruling about either in 7.
p_buyer_wallet, p_seller_wallet: the parties. p_but: somebody who is chosen only where nobody else can be; null: nobody.
Returns the wallet, null when there is nobody.
Errors: none.';

revoke all on function escrow.choose_arbitrator(text, text, text) from public;
