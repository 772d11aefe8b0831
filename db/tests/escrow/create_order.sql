begin;
select plan(32);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set judge '''0x00000000000000000000000000000000000000b3'''
\set stranger '''0x00000000000000000000000000000000000000b4'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key, created_at)
values
(:buyer, 'cHVi', now() - interval '30 days'), (:seller, 'cHVi', now() - interval '30 days'),
(:judge, 'cHVi', now() - interval '30 days'), (:stranger, 'cHVi', now() - interval '30 days');
insert into escrow.arbitrators (wallet, stake_amount, stake_token) values (:judge, 500, :judge);
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 30, 'hash');
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
        format('%L, %L, ''bsc'', ''USDT'', 7, %L', :buyer, :product, '0x' || repeat('ab', 32)), 'PT409',
        'there is another order of this onchain_order_id', 'nor changes the token'
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

select * from finish();
rollback;
