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
        select
            o.id, o.buyer_wallet, o.seller_wallet, o.arbitrator_wallet,
            o.dispute_deadline <= now() and o.chain_status is not null as is_late
        from escrow.orders as o
        where
            o.status = 'disputed'
            and case
                -- The deadline of those that nobody could rule on is when to ask again; no new dispute's is that near.
                when o.arbitrator_wallet is null
                    then (o.dispute_deadline > now() and o.dispute_deadline <= now() + interval '1 hour') is not true
                else o.dispute_deadline <= now() or o.arbitrator_wallet = any(array(
                    select a.wallet
                    from escrow.arbitrators as a
                    inner join escrow.user_profiles as u on u.wallet = a.wallet
                    where not a.is_active or u.is_blacklisted
                ))
            end
        -- Rows of arbitrators are locked in this order.
        order by o.arbitrator_wallet, o.dispute_deadline
        limit p_limit
        for no key update skip locked
    loop
        -- A dispute that only the parties speak of may be invented, to wear somebody down.
        if v_order.is_late and v_order.arbitrator_wallet is not null then
            perform escrow.score_arbitrator(v_order.arbitrator_wallet, false);
        end if;
        -- Where there is nobody else, a late ruling is better than none: the first is chosen again if they may rule.
        v_next := escrow.choose_arbitrator(v_order.buyer_wallet, v_order.seller_wallet, v_order.arbitrator_wallet);
        update escrow.orders as o
        set
            arbitrator_wallet = v_next,
            dispute_deadline = now() + case when v_next is null then interval '1 hour' else interval '72 hours' end
        where o.id = v_order.id;
        reassigned := reassigned + 1;
    end loop;
end
$$;

comment on function escrow.reassign_disputes(integer) is
'Gives disputes whose deadline has passed, or whose arbitrator is active no more or blacklisted, to another arbitrator, and those without one to whoever is free by now, with 72 hours. Who was too late loses 5 reputation if the contract knows the order, and keeps the dispute where nobody else is free. Where nobody may rule, an hour later is asked again.
p_limit: at most so many; null: all.
Returns how many, those that are to be asked about again included.
Errors: none.';

revoke all on function escrow.reassign_disputes(integer) from public;
