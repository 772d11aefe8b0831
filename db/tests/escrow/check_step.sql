begin;
select plan(13);

\ir setup/orders.sql

create function pg_temp.tx(p_number integer) returns text language sql immutable as $$
    select '0x' || lpad(to_hex(p_number), 64, '0')
$$;

create function pg_temp.check(p_from text, p_to text, p_actor text) returns text language sql as $$
    select escrow.check_step(
        o, p_to::escrow.order_status, p_actor,
        case p_actor when 'buyer' then o.buyer_wallet when 'seller' then o.seller_wallet else o.arbitrator_wallet end
    )
    from escrow.orders as o
    where o.status = p_from::escrow.order_status
$$;
select count(pg_temp.order_at(o.number, o.status)) as made
from (values (1, 'created'), (2, 'completed'), (3, 'disputed')) as o (number, status);

select is(pg_temp.check('created', 'cancelled', 'buyer'), 'created', 'who may take a step is told from where');
select throws_ok(
    $$select pg_temp.check('created', 'completed', 'buyer')$$, 'PT409',
    'an order that is created can''t become completed', 'a step that there is not is a conflict'
);
select throws_ok(
    $$select pg_temp.check('created', 'seller_confirmed', 'buyer')$$, '42501',
    'an order that is created can become seller_confirmed, but not by its buyer', 'another''s step is forbidden'
);
select throws_ok(
    $$select pg_temp.check('created', 'expired', 'seller')$$, '42501',
    'an order that is created can become expired, but not by its seller', 'as is time''s'
);
select throws_ok(
    $$select pg_temp.check('completed', 'completed', 'buyer')$$, 'PT409',
    'an order that is completed can''t become completed', 'no step is taken twice'
);
select is(pg_temp.check('disputed', 'resolved_buyer', 'arbitrator'), 'disputed', 'an arbitrator rules in time');
update escrow.orders set dispute_deadline = now()
where status = 'disputed';
select throws_ok(
    $$select pg_temp.check('disputed', 'resolved_buyer', 'arbitrator')$$, 'PT409',
    'the dispute''s deadline has passed', 'and not later'
);

-- The contract was here first.
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 1, 0, :judge, 'cancelled', 1, jsonb_build_object('by', :seller));
update escrow.orders set chain_status = 'cancelled'
where onchain_order_id = 1;
select is(
    pg_temp.check('cancelled', 'cancelled', 'seller'), 'created', 'who caused an event that came first may still say so'
);
select throws_ok(
    $$select pg_temp.check('cancelled', 'cancelled', 'buyer')$$, 'PT409',
    'an order that is cancelled can''t become cancelled', 'but nobody for another'
);
select throws_ok(
    $$select pg_temp.check('cancelled', 'seller_confirmed', 'seller')$$, 'PT409',
    'an order that is cancelled can''t become seller_confirmed', 'nor something else'
);
insert into escrow.order_step (order_id, from_status, to_status, wallet, tx_hash)
select
    o.id,
    'created' as from_status,
    'cancelled' as to_status,
    :seller as wallet,
    pg_temp.tx(1) as tx_hash
from escrow.orders as o
where o.status = 'cancelled';
select throws_ok(
    $$select pg_temp.check('cancelled', 'cancelled', 'seller')$$, 'PT409',
    'an order that is cancelled can''t become cancelled', 'nor a second time'
);

insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 2, 0, :judge, 'resolved_buyer', 3, '{}');
update escrow.orders set chain_status = 'resolved_buyer'
where onchain_order_id = 3;
select is(
    pg_temp.check('resolved_buyer', 'resolved_buyer', 'arbitrator'), 'disputed',
    'a ruling that the contract has was in time, whenever it is told here'
);
select is_empty(
    $$select from escrow.order_step as s where s.order_id <> '0a000000-0000-4000-8000-000000000001'$$,
    'whoever is refused leaves no trace'
);

select * from finish();
rollback;
