begin;
select plan(9);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key) values (:buyer, 'cHVi'), (:seller, 'cHVi');
insert into escrow.products (id, seller_wallet, title_preview, description_preview, category, price_usdt, product_hash)
values (:product, :seller, 'Title', 'Text', 'data', 10, 'hash');
alter table escrow.orders disable trigger user;
insert into escrow.orders (
    onchain_order_id,
    chain,
    buyer_wallet,
    seller_wallet,
    product_id,
    token,
    amount,
    platform_fee,
    tx_hash_create,
    status,
    created_at
)
select
    row_number() over () as onchain_order_id,
    'bsc' as chain,
    :buyer as buyer_wallet,
    :seller as seller_wallet,
    :product as product_id,
    'USDT' as token,
    o.amount,
    o.amount / 50 as platform_fee,
    'tx' as tx_hash_create,
    o.status::escrow.order_status as status,
    o.created_at
from (
    values
    (10.000001, 'completed', date_trunc('day', now(), 'UTC') - interval '1 second'),
    (20.000002, 'completed', date_trunc('day', now(), 'UTC') - interval '1 day'),
    (30, 'cancelled', date_trunc('day', now(), 'UTC') - interval '1 day'),
    (40, 'disputed', date_trunc('day', now(), 'UTC') - interval '1 day'),
    (50, 'resolved_buyer', date_trunc('day', now(), 'UTC') - interval '1 day'),
    (60, 'resolved_seller', date_trunc('day', now(), 'UTC') - interval '1 day'),
    (70, 'created', date_trunc('day', now(), 'UTC') - interval '1 day'),
    (80, 'expired', date_trunc('day', now(), 'UTC') - interval '2 days 1 second'),
    (90, 'completed', now() - interval '30 days')
) as o (amount, status, created_at);

set local role aqm_admin;
-- The day is that of Greenwich, whoever asks.
set local timezone = 'Pacific/Auckland';
select results_eq(
    $$select (now() at time zone 'UTC')::date - day, total_orders, completed, disputes, cancelled
    from escrow.daily_stats()$$,
    'values (1, 7::bigint, 2::bigint, 3::bigint, 1::bigint), (3, 1::bigint, 0::bigint, 0::bigint, 0::bigint)',
    'an administrator sees what was ordered each day of the last 30, the last day first'
);
select results_eq(
    'select total_volume::text, total_fees::text from escrow.daily_stats()',
    $$values ('30.000003', '0.600000'), ('0', '0')$$, 'and what was completed, to the last decimal'
);
select is((select count(*) from escrow.daily_stats(31)), 3::bigint, 'more days show more');
select
    throws_ok(
        format('select escrow.daily_stats(%s)', bad.days), '22023', 'days must be between 1 and 365', bad.description
    )
from (
    values
    ('0', 'a day is asked for'),
    ('366', 'a year at most'),
    ('null', 'and some number')
) as bad (days, description);
select lives_ok('select escrow.daily_stats(365)', 'a year may be asked for');
select
    throws_ok(
        format('set local role %s; select escrow.daily_stats()', other.role), '42501',
        'permission denied for function daily_stats', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_wallet')) as other (role);

select * from finish();
rollback;
