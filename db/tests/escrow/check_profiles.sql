begin;
select plan(16);

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
update escrow.orders set status = 'seller_confirmed'
where onchain_order_id < 3;
update escrow.orders set status = 'completed'
where onchain_order_id = 1;
insert into escrow.reviews (order_id, reviewer_wallet, target_wallet, rating)
select
    o.id as order_id,
    :buyer as reviewer_wallet,
    :seller as target_wallet,
    5 as rating
from escrow.orders as o
where o.onchain_order_id = 1;
do $$ begin
    perform escrow.recompute_profile('0x00000000000000000000000000000000000000b2');
end $$;
create temporary table right_so as select u.* from escrow.user_profiles as u;
create view pg_temp.differs as
select u.wallet
from escrow.user_profiles as u
inner join right_so as r on u.wallet = r.wallet
where to_jsonb(u) - 'updated_at' <> to_jsonb(r) - 'updated_at';
-- Changes a number of one profile by hand.
create function pg_temp.spoil(p_column text) returns void language plpgsql as $$ begin
    execute format(
        'update escrow.user_profiles set %1$I = %1$I + 1 where wallet = ''0x00000000000000000000000000000000000000b2''',
        p_column
    );
end $$;

set local client_min_messages = error;
update escrow.user_profiles set updated_at = now() - interval '1 day';
select is(escrow.check_profiles(), 0::bigint, 'profiles in which all was counted are right');
select is(
    (select max(u.updated_at) from escrow.user_profiles as u), now() - interval '1 day', 'and are left alone'
);
select is(escrow.check_profiles(), 1::bigint, wrong.description)
from (
    values
    ('total_trades', 'a wrong number of trades is found'),
    ('total_as_buyer', 'as buyer'),
    ('total_as_seller', 'as seller'),
    ('reputation_sum', 'a wrong score'),
    ('rating_count', 'a wrong number of reviews'),
    ('rating_sum', 'a wrong sum of them')
) as wrong (column_name, description)
cross join lateral pg_temp.spoil(wrong.column_name);
select is_empty('select * from pg_temp.differs', 'and is mended');
update escrow.user_profiles set total_trades = 5;
alter table escrow.user_profiles disable trigger follow_profile;
update escrow.user_profiles set tier = 'trusted', total_trades = 1
where wallet = :buyer;
update escrow.user_profiles set is_blacklisted = true, total_trades = 1
where wallet = :seller;
alter table escrow.user_profiles enable trigger follow_profile;
select is(escrow.check_profiles(), 2::bigint, 'a tier or a mark of the blacklist that is wrong is found');
select is_empty('select * from pg_temp.differs', 'and mended too');
update escrow.user_profiles set total_trades = 5;
select is(escrow.check_profiles(2), 2::bigint, 'a limit that is large enough finds all');
update escrow.user_profiles set total_trades = 5;
update escrow.orders set updated_at = now();
select ok(escrow.check_profiles(1) between 1 and 2, 'a small one some');
select throws_ok('select escrow.check_profiles(0)', '22023', 'limit must be at least 1', 'to check none is a mistake');
set local role aqm_jobs;
select lives_ok('select escrow.check_profiles(5000)', 'the scheduler may check');
set local role aqm_admin;
select throws_ok(
    'select escrow.check_profiles()', '42501', 'permission denied for function check_profiles', 'nobody else may'
);

select * from finish();
rollback;
