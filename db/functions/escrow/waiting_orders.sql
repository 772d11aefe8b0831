create or replace function escrow.waiting_orders(
    out waits_for text,
    out value bigint
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select w.waits_for, w.count
    from (
        select
            -- The job comes every 5 minutes: what it has passed over three times is stuck.
            count(*) filter (
                where o.status = 'created' and o.created_at < now() - interval '24 hours 15 minutes'
                or o.status = 'seller_confirmed' and o.seller_confirmed_at < now() - interval '72 hours 15 minutes'
            ) as of_time,
            count(*) filter (where o.status = 'disputed' and o.arbitrator_wallet is null) as of_arbitrator,
            count(*) filter (
                where o.chain_status is null and o.created_at < now() - interval '1 hour'
            ) as of_contract
        from escrow.orders as o
        -- Open orders are few, and an index finds them: the closed ones are never read.
        where o.status in ('created', 'seller_confirmed', 'disputed')
    ) as c
    cross join lateral (
        values ('time', c.of_time), ('arbitrator', c.of_arbitrator), ('contract', c.of_contract)
    ) as w (waits_for, count);
end
$$;

comment on function escrow.waiting_orders() is
'Counts the orders that should not wait, by what they wait for: time, that is for apply_timeouts() although they have been due for 15 minutes; arbitrator, disputed ones that nobody may rule on; contract, open ones older than an hour that no event has mentioned.
Errors: none.';

revoke all on function escrow.waiting_orders() from public;
grant execute on function escrow.waiting_orders() to aqm_monitor, aqm_gateway;

select gateway.expose_metric('aqm_waiting_orders', 'escrow.waiting_orders');
