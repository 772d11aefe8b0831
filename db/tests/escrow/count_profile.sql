begin;
select plan(4);

\set bob '''0x00000000000000000000000000000000000000b1'''
\set eve '''0x00000000000000000000000000000000000000e1'''
insert into escrow.user_profiles (wallet, public_key) values (:bob, 'cHVi'), (:eve, 'cHVi');
insert into escrow.products (
    seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
select
    u.wallet,
    'Title' as title_preview,
    'Text' as description_preview,
    'data' as category,
    10 as price_usdt,
    100 as stock,
    'hash' as product_hash
from escrow.user_profiles as u;
-- An order that ended so, of one who buys from the other.
create function pg_temp.trade(
    p_number integer, p_seller text, p_status escrow.order_status, p_canceller text default null
)
returns void language sql as $$
    insert into escrow.orders (
        onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, tx_hash_create
    )
    select p_number, 'bsc', b.wallet, p.seller_wallet, p.id, 'USDT', 10, 0.2, 'tx'
    from escrow.products as p inner join escrow.user_profiles as b on b.wallet <> p.seller_wallet
    where p.seller_wallet = p_seller;
    update escrow.orders as o set status = 'seller_confirmed'
    where o.onchain_order_id = p_number and p_status not in ('created', 'cancelled', 'expired');
    update escrow.orders as o set status = 'disputed'
    where o.onchain_order_id = p_number and p_status in ('resolved_buyer', 'resolved_seller');
    update escrow.orders as o set status = p_status, cancelled_by = p_canceller
    where o.onchain_order_id = p_number and o.status <> p_status;
$$;
do $$ begin
    perform pg_temp.trade(1, '0x00000000000000000000000000000000000000b1', 'completed');
    perform pg_temp.trade(2, '0x00000000000000000000000000000000000000b1', 'resolved_seller');
    perform pg_temp.trade(3, '0x00000000000000000000000000000000000000b1', 'cancelled', '0x00000000000000000000000000000000000000b1');
    perform pg_temp.trade(4, '0x00000000000000000000000000000000000000b1', 'created');
    perform pg_temp.trade(5, '0x00000000000000000000000000000000000000e1', 'resolved_seller');
    perform pg_temp.trade(6, '0x00000000000000000000000000000000000000e1', 'expired');
end $$;
insert into escrow.reviews (order_id, reviewer_wallet, target_wallet, rating)
select
    o.id as order_id,
    :eve as reviewer_wallet,
    :bob as target_wallet,
    case o.onchain_order_id when 1 then 5 else 4 end as rating
from escrow.orders as o
where o.onchain_order_id in (1, 2);

select results_eq(
    format('select * from escrow.count_profile(%L)', :bob), 'values (1, 2, 1 + 2 - 2 - 2 + 0.5, 2, 9)',
    'trades, disputes, cancels and reviews are counted'
);
select results_eq(
    format('select * from escrow.count_profile(%L)', :eve), 'values (2, 1, 1 - 2 + 2::numeric, 0, 0)',
    'for each party its own way'
);
select results_eq(
    $$select * from escrow.count_profile('0x00000000000000000000000000000000000000f1')$$,
    'values (0, 0, 0::numeric, 0, 0)',
    'who never traded has nothing'
);
select results_eq(
    'select total_as_buyer, total_as_seller, reputation_sum from escrow.user_profiles order by wallet',
    format(
        $$select (escrow.count_profile(w)).total_as_buyer, (escrow.count_profile(w)).total_as_seller,
        (escrow.count_profile(w)).reputation_sum - case when w = %L then 0.5 else 0 end
        from unnest(array[%L, %L]) as w$$, :bob, :bob, :eve
    ),
    'orders were counted to the same result when they came'
);

select * from finish();
rollback;
