begin;
select plan(14);

\ir setup/orders.sql

-- Numbers 1 to 6, each a minute younger than the one before; 3 and 4 at the same time.
select count(pg_temp.order_at(o.number, o.status)) as made
from (
    values (1, 'completed'), (2, 'created'), (3, 'disputed'), (4, 'created'), (5, 'cancelled'), (6, 'created')
) as o (number, status);
update escrow.orders
set
    created_at
    = now() - interval '1 hour' + interval '1 minute' * case onchain_order_id when 4 then 3 else onchain_order_id end;
create function pg_temp.numbers(
    p_wallet text, p_status text default null, p_after bigint default null, p_limit integer default 50
)
returns bigint[] language sql as $$
    select array(
        select l.onchain_order_id
        from escrow.list_orders(
            p_wallet, p_status::escrow.order_status,
            (select o.id from escrow.orders as o where o.onchain_order_id = p_after), p_limit
        ) with ordinality as l
        order by l.ordinality
    )
$$;

select is(pg_temp.numbers(:buyer), '{6,5,4,3,2,1}', 'the buyer sees the newest first, of one time the greater id');
select is(pg_temp.numbers(:seller), '{6,5,4,3,2,1}', 'so does the seller');
select is(pg_temp.numbers(:judge), '{3}', 'an arbitrator sees the disputes');
update escrow.orders set status = 'resolved_buyer'
where onchain_order_id = 3;
select is(pg_temp.numbers(:judge), '{3}', 'also when they are over');
select is(pg_temp.numbers(:stranger), '{}', 'a stranger sees nothing');
select is(pg_temp.numbers(:buyer, 'created'), '{6,4,2}', 'a status may be asked for');
select is(pg_temp.numbers(:buyer, 'expired'), '{}', 'also one that none has');
select is(pg_temp.numbers(:buyer, p_limit => 3), '{6,5,4}', 'a page has as many as were asked for');
select is(pg_temp.numbers(:buyer, p_after => 4, p_limit => 2), '{3,2}', 'the next goes on where it ended');
select is(pg_temp.numbers(:seller, 'created', 4), '{2}', 'of one status too');
select is(pg_temp.numbers(:seller, p_after => 1), '{}', 'after the last there is nothing');
select throws_ok(
    format('select escrow.list_orders(%L, p_limit => 101)', :buyer), '22023', 'limit must be between 1 and 100',
    'a page has an end'
);
select throws_ok(
    format('select escrow.list_orders(%L, p_after => o.id) from escrow.orders as o', :stranger), '22023',
    'after must be an order of one''s own', 'nobody learns of others'' orders by asking what comes after'
);
set local role aqm_wallet;
select is((select count(*) from escrow.list_orders(:buyer, 'created')), 3::bigint, 'a wallet may ask');

select * from finish();
rollback;
