begin;
select plan(14);

-- Three people who buy from each other, and orders of every end among them.
create temporary table person as
select format('0x%s', repeat(to_hex(n + 10), 40)) as wallet
from generate_series(0, 2) as n;
insert into escrow.user_profiles (wallet, public_key) select
    p.wallet,
    'cHVi' as public_key
from person as p;
insert into escrow.products (
    seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
select
    p.wallet,
    'Title' as title_preview,
    'Text' as description_preview,
    'data' as category,
    10 as price_usdt,
    1000 as stock,
    'hash' as product_hash
from person as p;
insert into escrow.orders (
    onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, tx_hash_create
)
select
    row_number() over (order by p.seller_wallet, b.wallet, n) as onchain_order_id,
    'bsc' as chain,
    b.wallet as buyer_wallet,
    p.seller_wallet,
    p.id as product_id,
    'USDT' as token,
    10 as amount,
    0.2 as platform_fee,
    'tx' as tx_hash_create
from escrow.products as p
inner join person as b on p.seller_wallet <> b.wallet
cross join generate_series(1, 11) as n;
-- Uneven, so that no two people have the same: 1 stays, 2 and 3 are confirmed, 4 and 5 disputed, 6 expires.
update escrow.orders set status = 'seller_confirmed'
where onchain_order_id % 17 in (2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
update escrow.orders set status = 'expired'
where onchain_order_id % 17 = 6;
update escrow.orders set status = 'disputed'
where onchain_order_id % 17 in (4, 5, 7, 8, 9, 10);
update escrow.orders set status = 'resolved_buyer'
where onchain_order_id % 17 in (7, 8);
update escrow.orders set status = 'resolved_seller'
where onchain_order_id % 17 in (9, 10);
update escrow.orders set status = 'completed'
where onchain_order_id % 17 in (11, 12, 13, 14, 15, 16);
insert into escrow.reviews (order_id, reviewer_wallet, target_wallet, rating)
select
    o.id as order_id,
    o.buyer_wallet as reviewer_wallet,
    o.seller_wallet as target_wallet,
    3 + o.onchain_order_id % 3 as rating
from escrow.orders as o
where escrow.is_trade(o.status);
-- What an order or a review counts, when it comes.
create view pg_temp.shown as
select
    u.wallet::text as wallet,
    u.reputation_score,
    u.total_trades,
    u.total_as_buyer,
    u.total_as_seller
from escrow.user_profiles as u
order by u.wallet;
create temporary table counted as select * from pg_temp.shown;
-- The seed's query, to the letter.
create function pg_temp.seed(p_wallet text, out reputation_score numeric, out total_trades bigint) language sql as $$
    with stats as (
        select
            count(*) filter (where status in ('completed', 'resolved_buyer', 'resolved_seller')) as total_trades,
            count(*) filter (where status = 'resolved_buyer' and seller_wallet = p_wallet)
            + count(*) filter (where status = 'resolved_seller' and buyer_wallet = p_wallet) as disputes_lost,
            count(*) filter (where status = 'resolved_buyer' and buyer_wallet = p_wallet)
            + count(*) filter (where status = 'resolved_seller' and seller_wallet = p_wallet) as disputes_won,
            count(*) filter (where status = 'cancelled' and seller_wallet = p_wallet) as seller_cancels,
            count(*) filter (where status = 'cancelled' and buyer_wallet = p_wallet) as buyer_cancels
        from escrow.orders
        where buyer_wallet = p_wallet or seller_wallet = p_wallet
    ),
    review_stats as (
        select coalesce(count(*) filter (where rating = 5), 0) as five_stars
        from escrow.reviews where target_wallet = p_wallet
    )
    select
        (s.total_trades * 1) + (r.five_stars * 0.5) - (s.disputes_lost * 3) + (s.disputes_won * 1)
        - (s.seller_cancels * 2) - (s.buyer_cancels * 0.5),
        s.total_trades
    from stats as s, review_stats as r
$$;

select isnt(
    (select count(distinct c.reputation_score) from counted as c), 1::bigint, 'people are told apart by what they did'
);
create temporary table recomputed as
select r.*
from person as p
cross join lateral escrow.recompute_profile(p.wallet) as r;
select results_eq(
    'select wallet, reputation_score, total_trades from recomputed order by wallet',
    $$select p.wallet, s.reputation_score, s.total_trades::integer
    from person as p cross join lateral pg_temp.seed(p.wallet) as s order by p.wallet$$,
    'from scratch it is the result of the seed''s query'
);
select is_empty(
    $$select 1 from recomputed where total_trades <> total_as_buyer + total_as_seller or total_as_buyer = 0
    or total_as_seller = 0$$,
    'a trade is the buyer''s or the seller''s'
);
select results_eq(
    'select c.wallet, c.total_trades, c.total_as_buyer, c.total_as_seller from counted as c order by c.wallet',
    'select r.wallet, r.total_trades, r.total_as_buyer, r.total_as_seller from recomputed as r order by r.wallet',
    'trades were counted to the same result when they came'
);
select results_eq(
    'select r.wallet, r.rating from recomputed as r order by r.wallet',
    $$select v.target_wallet::text, round(avg(v.rating), 2) from escrow.reviews as v group by 1 order by 1$$,
    'the rating is the mean of the reviews'
);
create temporary table before_cancels as select * from pg_temp.shown;
create temporary table again as
select r.*
from person as p
cross join lateral escrow.recompute_profile(p.wallet) as r;
select results_eq(
    'select a.* from again as a order by a.wallet', 'select r.* from recomputed as r order by r.wallet',
    'a second time changes nothing'
);

-- One order of a and b: the seller takes it back; then one that nobody knows who took back.
update escrow.orders set status = 'cancelled', cancelled_by = seller_wallet
where onchain_order_id = 1;
select results_eq(
    'select b.wallet, s.reputation_score - b.reputation_score
    from before_cancels as b inner join pg_temp.shown as s using (wallet) order by b.wallet',
    $$select p.wallet, case when p.wallet = o.seller_wallet then -2.00 else 0.00 end
    from person as p cross join escrow.orders as o where o.onchain_order_id = 1 order by p.wallet$$,
    'who cancels pays for it, and the other party does not'
);
create temporary table after_cancel as select * from pg_temp.shown;
do $$ begin
    perform escrow.recompute_profile(p.wallet) from person as p;
end $$;
select results_eq(
    'select s.* from pg_temp.shown as s', 'select a.* from after_cancel as a order by a.wallet',
    'from scratch it is the same'
);
select is(
    (
        select sum(s.reputation_score - d.reputation_score)
        from escrow.orders as o
        inner join pg_temp.shown as s on o.buyer_wallet = s.wallet
        cross join lateral pg_temp.seed(s.wallet) as d
        where o.onchain_order_id = 1
    ), 0.5, 'the seed''s query can''t tell, and lets the buyer pay for the seller''s cancel'
);

update escrow.user_profiles
set total_trades = 77, total_as_buyer = 7, reputation_sum = -3, rating_count = 1, rating_sum = 1;
select results_eq(
    'select s.total_trades, s.reputation_score from pg_temp.shown as s', $$values (77, -3.00), (77, -3), (77, -3)$$,
    'numbers may be changed by hand'
);
create temporary table mended as
select r.*
from person as p
cross join lateral escrow.recompute_profile(p.wallet) as r;
select results_eq(
    'select m.wallet, m.reputation_score, m.total_trades, m.total_as_buyer, m.total_as_seller
    from mended as m order by m.wallet',
    'select a.wallet, a.reputation_score, a.total_trades, a.total_as_buyer, a.total_as_seller
    from after_cancel as a order by a.wallet',
    'then from scratch they are what they were'
);
select is_empty(
    'select m.wallet from mended as m inner join recomputed as r using (wallet) where m.rating <> r.rating',
    'the rating too'
);
select is_empty(
    $$select escrow.recompute_profile('0x00000000000000000000000000000000000000f1')$$, 'nobody has no profile'
);
set local role aqm_admin;
select throws_ok(
    $$select escrow.recompute_profile('0x00000000000000000000000000000000000000f1')$$, '42501',
    'permission denied for function recompute_profile', 'it is no endpoint'
);

select * from finish();
rollback;
