create or replace function escrow.reassign_disputes(
    p_limit integer default null,
    out reassigned bigint
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_order record;
    v_next text;
begin
    reassigned := 0;
    for v_order in
        select o.id, o.buyer_wallet, o.seller_wallet, o.arbitrator_wallet
        from escrow.orders as o
        where
            o.status = 'disputed'
            and case
                when o.arbitrator_wallet is not null then o.dispute_deadline <= now()
                -- Those that nobody can rule on yet must not take the places of others.
                else escrow.choose_arbitrator(o.buyer_wallet, o.seller_wallet) is not null
            end
        -- Rows of arbitrators are locked in this order.
        order by o.arbitrator_wallet, o.dispute_deadline
        limit p_limit
        for no key update skip locked
    loop
        if v_order.arbitrator_wallet is not null then
            perform escrow.score_arbitrator(v_order.arbitrator_wallet, false);
        end if;
        v_next := escrow.choose_arbitrator(v_order.buyer_wallet, v_order.seller_wallet, v_order.arbitrator_wallet);
        -- Where there is nobody else, a late ruling is better than none, as long as the first may rule at all.
        if v_next is null then
            select a.wallet into v_next
            from escrow.arbitrators as a
            inner join escrow.user_profiles as u on u.wallet = a.wallet
            where a.wallet = v_order.arbitrator_wallet and a.is_active and not u.is_blacklisted;
        end if;
        update escrow.orders as o
        set arbitrator_wallet = v_next, dispute_deadline = now() + interval '72 hours'
        where o.id = v_order.id;
        reassigned := reassigned + 1;
    end loop;
end
$$;

comment on function escrow.reassign_disputes(integer) is
'Gives disputes whose deadline has passed to another arbitrator, and those without one to whoever is free by now, with 72 hours. Who was too late loses 5 reputation; where nobody else is free they keep the dispute, unless they are active no more: then it waits for the next who is.
p_limit: at most so many; null: all.
Returns how many.
Errors: none.';

revoke all on function escrow.reassign_disputes(integer) from public;
