begin;
select plan(10);

\ir setup/orders.sql

select count(pg_temp.order_at(o.number, o.status)) as made
from (values (1, 'created'), (2, 'seller_confirmed'), (3, 'disputed'), (4, 'created')) as o (number, status);
create function pg_temp.statuses() returns text language sql as $$
    select string_agg(o.status::text, ' ' order by o.onchain_order_id) from escrow.orders as o
$$;

select
    throws_ok(
        format('select escrow.apply_timeouts(%s)', bad.number), '22023', 'limit must be at least 1',
        'to do nothing is a mistake'
    )
from (values (0), (-1)) as bad (number);
set local role aqm_jobs;
select is(escrow.apply_timeouts(), 0::bigint, 'as long as everybody has time nothing happens');
reset role;
update escrow.orders
set
    created_at = created_at - interval '1 day', seller_confirmed_at = seller_confirmed_at - interval '3 days',
    dispute_deadline = dispute_deadline - interval '3 days';
set local role aqm_jobs;
select is(escrow.apply_timeouts(1), 1::bigint, 'no more happens at once than the limit');
select is(escrow.apply_timeouts(2), 2::bigint, 'but not less');
reset role;
select is(pg_temp.statuses(), 'expired completed disputed expired', 'orders come first');
select is(
    (
        select o.dispute_deadline from escrow.orders as o
        where o.status = 'disputed'
    ), now(), 'and disputes when they are done'
);
set local role aqm_jobs;
select is(escrow.apply_timeouts(10), 1::bigint, 'then they too');
reset role;
select is(
    (
        select o.dispute_deadline from escrow.orders as o
        where o.status = 'disputed'
    ), now() + interval '72 hours',
    'have an arbitrator with time'
);
set local role aqm_wallet;
select throws_ok(
    'select escrow.apply_timeouts()', '42501', 'permission denied for function apply_timeouts', 'nobody hastens time'
);

select * from finish();
rollback;
