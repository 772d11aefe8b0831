begin;
select plan(8);

\ir setup/orders.sql

create function pg_temp.tx(p_number integer) returns text language sql immutable as $$
    select '0x' || lpad(to_hex(p_number), 64, '0')
$$;

select
    pg_temp.order_at(1, 'created') as id,
    pg_temp.order_at(2, 'created') as other,
    pg_temp.tx(1) as tx
\gset
set local role aqm_wallet;
select is(
    (select o.status::text || o.cancelled_by from escrow.cancel_order(:'id', :seller, :'tx') as o),
    'cancelled' || :seller,
    'a seller cancels, and the order says who did'
);
select is(
    (select o.cancelled_by from escrow.cancel_order(:'id', :seller, :'tx') as o), :seller, 'the same again is answered'
);
select throws_ok(
    format('select escrow.cancel_order(%L, %L, %L)', :'id', :buyer, :'tx'), 'PT409',
    'an order that is cancelled can''t become cancelled', 'the other party can''t any more'
);
select is(
    (select o.cancelled_by from escrow.cancel_order(:'other', :buyer, :'tx') as o), :buyer, 'a buyer may cancel as well'
);
select is_empty(
    format('select escrow.cancel_order(%L, %L, %L)', :'id', :stranger, :'tx'), 'to a stranger there is no order'
);
reset role;
select results_eq(
    'select u.wallet::text, u.total_trades, u.reputation_score
    from escrow.user_profiles as u where u.reputation_score <> 0 order by 1',
    format('values (%L, 0, -0.50), (%L, 0, -2.00)', :buyer, :seller), 'each pays for their own'
);
select is((select p.stock from escrow.products as p), 32, 'the items went back');
select throws_ok(
    format(
        'select escrow.cancel_order(%L, %L, %L)', pg_temp.order_at(3, 'seller_confirmed'), :buyer, :'tx'
    ), 'PT409', 'an order that is seller_confirmed can''t become cancelled', 'what was confirmed is not cancelled'
);

select * from finish();
rollback;
