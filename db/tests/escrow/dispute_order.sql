begin;
select plan(7);

\ir setup/orders.sql

create function pg_temp.tx(p_number integer) returns text language sql immutable as $$
    select '0x' || lpad(to_hex(p_number), 64, '0')
$$;

select
    pg_temp.order_at(1, 'seller_confirmed') as id,
    pg_temp.order_at(2, 'seller_confirmed') as other,
    pg_temp.order_at(3, 'created') as early,
    pg_temp.tx(1) as tx
\gset
set local role aqm_wallet;
select results_eq(
    format(
        'select status::text, arbitrator_wallet, dispute_opened_at, dispute_deadline
        from escrow.dispute_order(%L, %L, %L)',
        :'id', :buyer, :'tx'
    ),
    format($$values ('disputed', %L, now(), now() + interval '72 hours')$$, :judge),
    'a dispute has an arbitrator, who has 72 hours'
);
select is(
    (select o.status::text from escrow.dispute_order(:'id', :buyer, :'tx') as o),
    'disputed',
    'the same again is answered'
);
select throws_ok(
    format('select escrow.dispute_order(%L, %L, %L)', :'id', :seller, :'tx'), 'PT409',
    'an order that is disputed can''t become disputed', 'there is one dispute'
);
select is_empty(
    format('select escrow.dispute_order(%L, %L, %L)', :'id', :stranger, :'tx'), 'to a stranger there is no order'
);
select throws_ok(
    format('select escrow.dispute_order(%L, %L, %L)', :'early', :buyer, :'tx'), 'PT409',
    'an order that is created can''t become disputed', 'what nobody confirmed is not disputed'
);
reset role;
update escrow.arbitrators set is_active = false;
set local role aqm_wallet;
select results_eq(
    format('select status::text, arbitrator_wallet from escrow.dispute_order(%L, %L, %L)', :'other', :seller, :'tx'),
    $$values ('disputed', null::text)$$, 'a seller may open one as well; without arbitrators it waits for one'
);
reset role;
select results_eq(
    'select wallet::text from escrow.order_step order by place', format('values (%L), (%L)', :buyer, :seller),
    'who opened it is noted'
);

select * from finish();
rollback;
