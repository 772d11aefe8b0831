begin;
select plan(49);

\ir setup/orders.sql

create function pg_temp.tx(p_number integer) returns text language sql immutable as $$
    select '0x' || lpad(to_hex(p_number), 64, '0')
$$;

create function pg_temp.buy(p_number integer, p_buyer text default '0x00000000000000000000000000000000000000b1')
returns setof escrow.order_view language sql as $$
    select *
    from escrow.create_order(p_buyer, 'd0000000-0000-4000-8000-000000000000', 'bsc', 'USDT', p_number, pg_temp.tx(p_number))
$$;
create view pg_temp.stock as
select
    p.stock,
    p.status::text as status
from escrow.products as p
where p.id = 'd0000000-0000-4000-8000-000000000000';

set local role aqm_wallet;
select id as first from escrow.create_order(:buyer, :product, 'bsc', 'USDC', 7, '0x' || repeat('Ab', 32)) \gset
select is(
    (select o.id from escrow.create_order(:buyer, :product, 'bsc', 'USDC', 7, '0x' || repeat('aB', 32)) as o), :'first',
    'whose answer was lost asks again and gets the first order'
);
reset role;
select results_eq(
    format(
        $$select
            buyer_wallet, seller_wallet, product_id, token::text, chain::text, onchain_order_id, amount, platform_fee,
            status::text, tx_hash_create, created_at
        from escrow.find_order(%L, %L)$$,
        :'first', :buyer
    ),
    format(
        $$values (
            %L, %L, %L::uuid, 'USDC', 'bsc', 7::bigint, 10::numeric, 0.2, 'created', '0x' || repeat('ab', 32), now()
        )$$,
        :buyer, :seller, :product
    ),
    'an order has the price of now, 2 % of it as the fee, and its hash in lower case'
);
select is((select s.stock from pg_temp.stock as s), 29, 'one of the stock is taken, once');

select
    throws_ok(
        format('select escrow.create_order(%s)', bad.arguments), bad.code, bad.message, bad.description
    )
from (
    values
    (
        format('%L, %L, ''bsc'', ''USDC'', 7, %L', :stranger, :product, '0x' || repeat('ab', 32)), 'PT409',
        'there is another order of this onchain_order_id', 'nobody takes another''s number of the contract'
    ),
    (
        format('%L, %L, ''bsc'', ''USDC'', 7, %L', :buyer, :product, '0x' || repeat('ac', 32)), 'PT409',
        'there is another order of this onchain_order_id', 'nor uses one''s own twice'
    ),
    (
        format('%L, %L, ''bsc'', ''USDC'', 7, %L', :buyer, gen_random_uuid(), '0x' || repeat('ab', 32)), 'PT409',
        'there is another order of this onchain_order_id', 'nor the product'
    ),
    (
        format('%L, %L, ''bsc'', ''USDC'', 8, %L', :buyer, gen_random_uuid(), '0x' || repeat('ab', 32)), 'PT404',
        'there is no such product', 'what is not sold can''t be bought'
    ),
    (
        format('%L, %L, ''bsc'', ''USDC'', 8, %L', :seller, :product, '0x' || repeat('ab', 32)), '22023',
        'buyer_wallet must not be the seller''s', 'nobody buys from themselves'
    ),
    (
        format('%L, %L, null, ''USDC'', 8, %L', :buyer, :product, '0x' || repeat('ab', 32)), '22023',
        'chain must be given', 'an order is on a chain'
    ),
    (
        format('%L, %L, ''bsc'', null, 8, %L', :buyer, :product, '0x' || repeat('ab', 32)), '22023',
        'token must be given', 'and paid in a token'
    ),
    (
        format('%L, %L, ''bsc'', ''USDC'', -1, %L', :buyer, :product, '0x' || repeat('ab', 32)), '22023',
        'onchain_order_id must be at least 0', 'a number of the contract is not negative'
    ),
    (
        format('%L, %L, ''bsc'', ''USDC'', null, %L', :buyer, :product, '0x' || repeat('ab', 32)), '22023',
        'onchain_order_id must be at least 0', 'nor missing'
    ),
    (
        format('%L, %L, ''bsc'', ''USDC'', 8, ''0xab''', :buyer, :product), '22023',
        'tx_hash_create must be 0x and 64 hex digits', 'a transaction has its hash'
    ),
    (
        format('%L, %L, ''bsc'', ''USDC'', 8, null', :buyer, :product), '22023',
        'tx_hash_create must be 0x and 64 hex digits', 'in any case'
    ),
    (
        format('%L, %L, ''bsc'', ''USDC'', 8, %L', '0x' || repeat('f', 40), :product, '0x' || repeat('ab', 32)),
        '22023', 'buyer_wallet has no profile', 'a stranger does not buy'
    )
) as bad (arguments, code, message, description);
select is((select s.stock from pg_temp.stock as s), 29, 'who was refused has taken nothing');

update escrow.products set price_usdt = 1.000025;
select is((select o.platform_fee from pg_temp.buy(10) as o), 0.020001, 'half a millionth of the fee goes up');
update escrow.products set price_usdt = 1.000024;
select is((select o.platform_fee from pg_temp.buy(11) as o), 0.020000, 'less goes down');

update escrow.products set status = 'paused';
select throws_ok('select pg_temp.buy(12)', 'PT409', 'the product is paused', 'what is paused can''t be bought');
update escrow.products set status = 'deleted', deleted_at = now();
select throws_ok('select pg_temp.buy(12)', 'PT404', 'there is no such product', 'nor what was deleted');
update escrow.products set status = 'active', deleted_at = null, stock = 1;
select is((select count(*) from pg_temp.buy(12)), 1::bigint, 'the last item can be bought');
select results_eq('select stock, status from pg_temp.stock', $$values (0, 'sold_out')$$, 'then it is sold out');
select throws_ok('select pg_temp.buy(13)', 'PT409', 'the product is sold out', 'and nobody buys one more');
select is((select count(*) from pg_temp.buy(12)), 1::bigint, 'though who bought the last may ask again');

update escrow.products set stock = 20;
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 1, 0, :judge, 'cancelled', 14, jsonb_build_object('by', :seller)),
('bsc', 1, 1, :judge, 'completed', 15, '{}');
select is(
    (select o.status::text || o.cancelled_by from pg_temp.buy(14) as o), 'cancelled' || :seller,
    'what the contract had cancelled before is born so'
);
select is((select s.stock from pg_temp.stock as s), 20, 'and holds no item');
select status from pg_temp.buy(15);
select is(
    (
        select u.total_as_buyer from escrow.user_profiles as u
        where u.wallet = :buyer
    ), 1,
    'what it had completed is counted'
);

update escrow.user_profiles set created_at = now() - interval '7 days' + interval '1 second'
where wallet = :seller;
select throws_ok(
    'select pg_temp.buy(16)', 'PT409', 'a new seller has at most 3 orders in 24 hours',
    'a new seller has no more than three orders a day'
);
update escrow.orders set created_at = now() - interval '24 hours'
where onchain_order_id <> 7 and onchain_order_id <> 10;
select is((select count(*) from pg_temp.buy(16)), 1::bigint, 'yesterday''s do not count');
select throws_ok(
    'select pg_temp.buy(17)', 'PT409', 'a new seller has at most 3 orders in 24 hours', 'today''s do'
);
update escrow.orders set created_at = now() - interval '24 hours';
update escrow.products set price_usdt = 50.000001;
select throws_ok(
    'select pg_temp.buy(17)', 'PT409', 'a new seller''s orders have at most 50 USDT', 'nor any above 50 USDT'
);
update escrow.products set price_usdt = 50;
select is((select count(*) from pg_temp.buy(17)), 1::bigint, '50 are allowed');
update escrow.products set price_usdt = 50.000001;
update escrow.user_profiles set created_at = now() - interval '7 days'
where wallet = :seller;
select is((select count(*) from pg_temp.buy(18)), 1::bigint, 'after seven days there is no such limit');

-- What the contract holds the money for.
create function pg_temp.pay(p_number integer, p_payload text default '{}') returns void language sql as $$
    select escrow.apply_chain_event(
        'bsc', '0x00000000000000000000000000000000000000cc', 100, p_number, 'created',
        jsonb_build_object(
            'order_id', p_number, 'buyer', '0x00000000000000000000000000000000000000B1',
            'seller', '0x00000000000000000000000000000000000000B2'
        ) || p_payload::jsonb
    )
$$;
create function pg_temp.bought(p_number integer) returns text language sql as $$
    select concat_ws(' ', b.amount, b.platform_fee, b.token) from pg_temp.buy(p_number) as b
$$;
create view pg_temp.last as
select
    o.onchain_order_id as number,
    o.holds_item,
    p.stock
from escrow.orders as o
inner join escrow.products as p on o.product_id = p.id
where o.chain = 'bsc';
select pg_temp.pay(30, '{"amount": "12.500000", "token": "USDC"}');
select is(
    pg_temp.bought(30), '12.500000 0.250000 USDC', 'the contract knows better than the buyer what was paid'
);
select is(
    pg_temp.bought(30), '12.500000 0.250000 USDC', 'the same order again is answered, though the buyer said less'
);
select is(pg_temp.bought(31), '50.000001 1.000000 USDT', 'before the contract tells it is the price');
select pg_temp.pay(31, '{"amount": "12.5"}');
select is(pg_temp.bought(31), '12.500000 0.250000 USDT', 'then what was paid');
select pg_temp.pay(32, '{"amount": "0.999999"}');
select throws_ok(
    'select pg_temp.buy(32)', 'PT409', 'onchain_order_id is an order of others, or of less than 1 USDT',
    'what is no order by the contract is none here'
);
update escrow.user_profiles set created_at = now()
where wallet = :seller;
select pg_temp.pay(33);
select throws_ok(
    'select pg_temp.buy(34)', 'PT409', 'a new seller''s orders have at most 50 USDT',
    'what nobody has paid for is refused'
);
select is(
    (select count(*) from pg_temp.buy(33)), 1::bigint, 'what the contract holds money for is taken, beyond any limit'
);
update escrow.products set status = 'paused', stock = 5;
select pg_temp.pay(34);
select is((select count(*) from pg_temp.buy(34)), 1::bigint, 'paused or not');
select is(
    (
        select array[l.holds_item::text, l.stock::text] from pg_temp.last as l
        where l.number = 34
    ), array['false', '5'],
    'but without an item'
);
update escrow.products set stock = 0, status = 'active';
select pg_temp.pay(35);
select is((select count(*) from pg_temp.buy(35)), 1::bigint, 'sold out or not');
select results_eq(
    'select stock, status from pg_temp.stock', $$values (0, 'sold_out')$$, 'the stock is never below zero'
);
select status from escrow.cancel_order(
    (
        select o.id from escrow.orders as o
        where o.onchain_order_id = 35
    ), :buyer, pg_temp.tx(35)
);
update escrow.orders set status = 'expired'
where onchain_order_id = 34;
select results_eq(
    'select stock, status from pg_temp.stock', $$values (0, 'sold_out')$$,
    'an order that had no item gives none back, cancelled or expired'
);
update escrow.products set status = 'deleted', deleted_at = now();
select pg_temp.pay(36);
select is((select count(*) from pg_temp.buy(36)), 1::bigint, 'deleted or not');
insert into escrow.blacklist (wallet, reason) values (:seller, 'thief');
select pg_temp.pay(37);
select throws_ok(
    'select pg_temp.buy(37)', '42501', 'seller_wallet is blacklisted', 'but not from who is blacklisted'
);
delete from escrow.blacklist;
insert into escrow.blacklist (wallet, reason) values (:buyer, 'thief');
select throws_ok('select pg_temp.buy(37)', '42501', 'buyer_wallet is blacklisted', 'nor for who is');
delete from escrow.blacklist;
select pg_temp.pay(38, format('{"seller": "%s"}', :stranger));
select throws_ok(
    'select pg_temp.buy(38)', 'PT404', 'there is no such product', 'nor when another seller is paid'
);

select * from finish();
rollback;
