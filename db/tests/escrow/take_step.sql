begin;
select plan(22);

\ir setup/orders.sql

create function pg_temp.tx(p_number integer) returns text language sql immutable as $$
    select '0x' || lpad(to_hex(p_number), 64, '0')
$$;

create function pg_temp.id(p_number integer) returns uuid language sql as $$
    select o.id from escrow.orders as o where o.onchain_order_id = p_number
$$;
create function pg_temp.step(p_number integer, p_wallet text, p_to text, p_tx integer, p_key text default null)
returns text language sql as $$
    select s.status
    from escrow.take_step(pg_temp.id(p_number), p_wallet, p_to::escrow.order_status, pg_temp.tx(p_tx), p_key) as s
$$;
create view pg_temp.steps as
select
    o.onchain_order_id as number,
    s.from_status::text,
    s.to_status::text,
    s.wallet::text,
    s.tx_hash::text
from escrow.order_step as s
inner join escrow.orders as o on s.order_id = o.id
order by s.place;
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 0, 0, :judge, 'created', 1, '{}');
select count(pg_temp.order_at(o.number, 'created')) as made from generate_series(1, 4) as o (number);

select is(pg_temp.step(1, :seller, 'seller_confirmed', 1, 'a2V5'), 'seller_confirmed', 'a party takes a step');
select is(pg_temp.step(1, :seller, 'seller_confirmed', 1, 'a2V5'), 'seller_confirmed', 'the same again is answered');
select throws_ok(
    format($$select pg_temp.step(1, %L, 'seller_confirmed', 1, 'b3Ro')$$, :seller), 'PT409',
    'product_key_encrypted_b64 is not what this transaction came with before', 'with another key it is not the same'
);
select is(
    (
        select o.product_key_encrypted from escrow.orders as o
        where o.id = pg_temp.id(1)
    ), 'a2V5', 'and changes nothing'
);
select results_eq(
    'select * from pg_temp.steps',
    format($$values (1::bigint, 'created', 'seller_confirmed', %L, pg_temp.tx(1))$$, :seller),
    'each step is noted once, with its transaction'
);
select throws_ok(
    format($$select pg_temp.step(1, %L, 'seller_confirmed', 2)$$, :seller), 'PT409',
    'an order that is seller_confirmed can''t become seller_confirmed', 'another transaction is another step'
);
select throws_ok(
    format($$select pg_temp.step(1, %L, 'completed', 2)$$, :seller), '42501',
    'an order that is seller_confirmed can become completed, but not by its seller', 'a step has its actor'
);
select throws_ok(
    format($$select escrow.take_step(pg_temp.id(1), %L, 'completed', 'tx')$$, :buyer), '22023',
    'tx_hash must be 0x and 64 hex digits', 'a step has a transaction'
);
select is(pg_temp.step(1, :stranger, 'completed', 2), null, 'to a stranger there is no order');
select is(
    (select s.status::text from escrow.take_step(gen_random_uuid(), :buyer, 'completed', pg_temp.tx(2)) as s), null,
    'nor to anybody where there is none'
);
insert into escrow.blacklist (wallet, reason) values (:buyer, 'thief');
update escrow.user_profiles set updated_at = now();
select throws_ok(
    format($$select pg_temp.step(1, %L, 'completed', 2)$$, :buyer), '42501', 'wallet is blacklisted',
    'who is blacklisted takes no step'
);
delete from escrow.blacklist;
update escrow.user_profiles set updated_at = now();
select is((select count(*) from pg_temp.steps), 1::bigint, 'what was refused left nothing');

select pg_temp.step(1, :buyer, 'disputed', 10) as disputed \gset
select is(pg_temp.step(1, :judge, 'resolved_buyer', 3), 'resolved_buyer', 'an arbitrator rules');
select results_eq(
    'select o.tx_hash_complete::text, a.total_resolved, a.reputation from escrow.orders as o, escrow.arbitrators as a
    where o.id = pg_temp.id(1)',
    $$values (pg_temp.tx(3), 1, 52::smallint)$$, 'the ruling has its transaction and counts'
);
select pg_temp.step(1, :judge, 'resolved_buyer', 3) as again \gset
select is((select a.total_resolved from escrow.arbitrators as a), 1, 'once');
-- Events were here before the parties.
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 1, 0, :judge, 'seller_confirmed', 2, '{}'), ('bsc', 1, 1, :judge, 'cancelled', 3, '{}');
update escrow.orders as o set chain_status = (escrow.find_chain_status(o.chain, o.onchain_order_id)).chain_status;
select is(pg_temp.step(2, :seller, 'seller_confirmed', 5, 'a2V5'), 'seller_confirmed', 'a step may follow its event');
select is(
    (
        select o.product_key_encrypted from escrow.orders as o
        where o.id = pg_temp.id(2)
    ), 'a2V5', 'and brings the key'
);
select is(pg_temp.step(3, :seller, 'cancelled', 6), 'cancelled', 'who cancelled may say so after the event');
select is(
    (
        select u.reputation_score from escrow.user_profiles as u
        where u.wallet = :seller
    ), -4.00,
    'it costs then what it would have cost: 2, after 2 for a dispute that was lost'
);
select throws_ok(
    format($$select pg_temp.step(3, %L, 'cancelled', 7)$$, :buyer), 'PT409',
    'an order that is cancelled can''t become cancelled', 'one cancels it, not both'
);

select pg_temp.order_at(5, 'disputed') as invented \gset
update escrow.orders set arbitrator_wallet = :judge
where onchain_order_id = 5;
select is(pg_temp.step(5, :judge, 'resolved_buyer', 8), 'resolved_buyer', 'a ruling needs no contract');
select is((select a.total_resolved from escrow.arbitrators as a), 1, 'but it counts for nothing: it may be invented');

select * from finish();
rollback;
