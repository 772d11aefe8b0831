begin;
select plan(5);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
insert into escrow.user_profiles (wallet, public_key) values (:buyer, 'cHVi'), (:seller, 'cHVi');
insert into escrow.products (
    seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:seller, 'Title', 'Text', 'data', 10, 9, 'hash');
insert into escrow.orders (
    onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, tx_hash_create
)
select
    n.n as onchain_order_id,
    'bsc' as chain,
    :buyer as buyer_wallet,
    p.seller_wallet,
    p.id as product_id,
    'USDT' as token,
    10 as amount,
    0.2 as platform_fee,
    'tx' as tx_hash_create
from escrow.products as p
cross join generate_series(1, 3) as n (n);
update escrow.orders set status = 'seller_confirmed';
update escrow.orders set status = 'completed';
do $$ begin
    perform escrow.add_review(o.id, o.buyer_wallet, 5), escrow.add_review(o.id, o.seller_wallet, o.onchain_order_id::integer)
    from escrow.orders as o where o.onchain_order_id < 3;
end $$;
create view pg_temp.ratings as
select
    u.rating_count,
    u.rating,
    u.reputation_score
from escrow.user_profiles as u
order by u.wallet;
-- The view stands for what a profile shows of its reviews.
select results_eq('select * from pg_temp.ratings', 'values (2, 1.50, 3.00), (2, 5.00, 4.00)', 'reviews count');
do $$ begin
    perform escrow.take_reviews_back(o) from escrow.orders as o where o.onchain_order_id = 1;
end $$;
select results_eq(
    'select * from pg_temp.ratings', 'values (1, 2.00, 3.00), (1, 5.00, 3.50)', 'those of one order are taken back'
);
select is_empty(
    'select from escrow.reviews as r inner join escrow.orders as o on o.id = r.order_id where o.onchain_order_id = 1',
    'and are gone'
);
do $$ begin
    perform escrow.take_reviews_back(o) from escrow.orders as o where o.onchain_order_id <> 1;
end $$;
select results_eq(
    'select * from pg_temp.ratings', 'values (0, null::numeric, 3.00), (0, null, 3.00)',
    'who loses the last has no rating'
);
select is(escrow.check_profiles(), 0::bigint, 'counting from scratch gives the same');

select * from finish();
rollback;
