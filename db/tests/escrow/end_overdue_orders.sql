begin;
select plan(11);

\ir setup/orders.sql

select count(pg_temp.order_at(o.number, o.status)) as made
from (
    values (1, 'created'),
    (2, 'created'),
    (3, 'seller_confirmed'),
    (4, 'seller_confirmed'),
    (5, 'disputed'),
    (6, 'created')
) as o (number, status);
update escrow.orders
set
    created_at
    = now()
    - case onchain_order_id
        when 1 then interval '24 hours' when 6 then interval '25 hours' else interval '23:59:59'
    end,
    seller_confirmed_at = now() - case onchain_order_id when 3 then interval '72 hours' else interval '71:59:59' end;
create function pg_temp.statuses() returns text language sql as $$
    select string_agg(o.status::text, ' ' order by o.onchain_order_id) from escrow.orders as o
$$;

select is(escrow.end_overdue_orders(0), 0::bigint, 'none at once are none');
select is(escrow.end_overdue_orders(1), 1::bigint, 'no more at once than the limit');
select is(
    pg_temp.statuses(), 'created created seller_confirmed seller_confirmed disputed expired', 'the oldest first'
);
select is(escrow.end_overdue_orders(), 2::bigint, 'then all that are due');
select is(
    pg_temp.statuses(), 'expired created completed seller_confirmed disputed expired',
    'to the second: who has time left keeps it'
);
select is(escrow.end_overdue_orders(), 0::bigint, 'then there are none');
select results_eq(
    'select o.onchain_order_id, s.from_status::text, s.to_status::text, s.wallet::text, s.tx_hash::text
    from escrow.order_step as s inner join escrow.orders as o on o.id = s.order_id order by 1',
    $$values
    (1::bigint, 'created', 'expired', null::text, null::text), (3, 'seller_confirmed', 'completed', null, null),
    (6, 'created', 'expired', null, null)$$,
    'each is noted as time''s'
);
select results_eq(
    'select p.stock, p.total_sold from escrow.products as p', 'values (32, 1)',
    'expired orders give their items back, completed ones are sold'
);
select results_eq(
    'select u.wallet::text, u.total_trades, u.reputation_score
    from escrow.user_profiles as u where u.total_trades > 0 order by 1',
    format('values (%L, 1, 1.00), (%L, 1, 1.00)', :buyer, :seller), 'and count for both'
);
select is(
    (
        select o.completed_at from escrow.orders as o
        where o.onchain_order_id = 3
    ), now(), 'with the time'
);
select is(
    (
        select o.tx_hash_complete from escrow.orders as o
        where o.onchain_order_id = 3
    ), null, 'but without a transaction'
);

select * from finish();
rollback;
