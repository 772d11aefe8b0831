begin;
select plan(8);

\ir setup/orders.sql

create function pg_temp.tx(p_number integer) returns text language sql immutable as $$
    select '0x' || lpad(to_hex(p_number), 64, '0')
$$;

select
    pg_temp.order_at(1, 'seller_confirmed') as id,
    pg_temp.tx(1) as tx,
    pg_temp.tx(2) as other_tx
\gset
set local role aqm_wallet;
select throws_ok(
    format('select escrow.complete_order(%L, %L, %L)', :'id', :seller, :'tx'), '42501',
    'an order that is seller_confirmed can become completed, but not by its seller',
    'the seller does not say that it came'
);
select is_empty(
    format('select escrow.complete_order(%L, %L, %L)', :'id', :stranger, :'tx'), 'to a stranger there is no order'
);
select is(
    (select o.status::text from escrow.complete_order(:'id', :buyer, :'tx') as o), 'completed', 'the buyer completes'
);
select is(
    (select o.tx_hash_complete from escrow.complete_order(:'id', :buyer, :'tx') as o), :'tx',
    'by a transaction; the same again is answered'
);
select throws_ok(
    format('select escrow.complete_order(%L, %L, %L)', :'id', :buyer, :'other_tx'), 'PT409',
    'an order that is completed can''t become completed', 'another is refused'
);
reset role;
select results_eq(
    'select u.wallet::text, u.total_trades, u.total_as_buyer, u.total_as_seller, u.reputation_score
    from escrow.user_profiles as u where u.total_trades > 0 order by 1',
    format('values (%L, 1, 1, 0, 1.00), (%L, 1, 0, 1, 1.00)', :buyer, :seller), 'both parties have a trade'
);
select results_eq(
    'select p.total_sold, p.stock from escrow.products as p',
    'values (1, 30)',
    'the product is sold, its stock as it was'
);
select is((select o.completed_at from escrow.orders as o), now(), 'the time is noted');

select * from finish();
rollback;
