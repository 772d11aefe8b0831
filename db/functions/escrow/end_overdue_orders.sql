create or replace function escrow.end_overdue_orders(
    p_limit integer default null,
    out ended bigint
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_expired uuid[];
    v_completed uuid[];
begin
    v_expired := array(
        select o.id
        from escrow.orders as o
        where o.status = 'created' and o.created_at <= now() - interval '24 hours'
        order by o.created_at
        limit p_limit
        for no key update skip locked
    );
    v_completed := array(
        select o.id
        from escrow.orders as o
        where o.status = 'seller_confirmed' and o.seller_confirmed_at <= now() - interval '72 hours'
        order by o.seller_confirmed_at
        limit p_limit - cardinality(v_expired)
        for no key update skip locked
    );

    -- A single step locks its order, then its product, then its parties: so does the batch, each kind in one order.
    perform from escrow.products as p
    where p.id in (select o.product_id from escrow.orders as o where o.id = any(v_expired || v_completed))
    order by p.id
    for no key update;
    perform from escrow.user_profiles as u
    where u.wallet in (
        select party.wallet
        from escrow.orders as o
        cross join lateral (values (o.buyer_wallet), (o.seller_wallet)) as party (wallet)
        where o.id = any(v_completed)
    )
    order by u.wallet
    for no key update;

    insert into escrow.order_step (order_id, from_status, to_status)
    select o.id, o.status, case o.status when 'created' then 'expired' else 'completed' end::escrow.order_status
    from escrow.orders as o
    where o.id = any(v_expired || v_completed);
    update escrow.orders as o
    set status = case o.status when 'created' then 'expired' else 'completed' end::escrow.order_status
    where o.id = any(v_expired || v_completed);
    ended := cardinality(v_expired || v_completed);
end
$$;

comment on function escrow.end_overdue_orders(integer) is
'Takes the steps that are time''s: expires orders that the seller has not confirmed within 24 hours, completes those over which the buyer has said nothing for 72 hours since. Leaves out those that somebody is taking a step over.
p_limit: at most so many, the oldest first; null: all.
Returns how many.
Errors: none.';

revoke all on function escrow.end_overdue_orders(integer) from public;
