begin;
select plan(6);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set judge '''0x00000000000000000000000000000000000000b3'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key) values (:buyer, 'cHVi'), (:seller, 'cHVi'), (:judge, 'cHVi');
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 30, 'hash');
-- Numbers 1 to 5, each a day younger than the one before; both of those with an arbitrator, one disputed.
insert into escrow.orders (
    id, onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, tx_hash_create,
    created_at, arbitrator_wallet, dispute_opened_at
)
select
    format('0a000000-0000-4000-8000-00000000000%s', o.n)::uuid as id,
    o.n as onchain_order_id,
    'bsc' as chain,
    :buyer as buyer_wallet,
    :seller as seller_wallet,
    :product as product_id,
    'USDT' as token,
    10 as amount,
    0.2 as platform_fee,
    'tx' as tx_hash_create,
    timestamptz '2026-01-01' + o.n * interval '1 day' as created_at,
    case when o.n in (3, 4) then :judge end as arbitrator_wallet,
    case when o.n = 3 then now() end as dispute_opened_at
from generate_series(1, 5) as o (n);
update escrow.orders set status = 'cancelled', cancelled_by = :buyer
where onchain_order_id = 2;
create function pg_temp.page(
    p_wallet text, p_status text, p_before timestamptz, p_before_id uuid, p_limit integer
)
returns text language sql as $$
    select string_agg(right(page.id::text, 1), ' ' order by page.place)
    from unnest(
        escrow.page_orders(p_wallet, p_status::escrow.order_status, p_before, p_before_id, p_limit)
    ) with ordinality as page (id, place)
$$;

select is(pg_temp.page(:buyer, null, 'infinity', null, 9), '5 4 3 2 1', 'all of a buyer, the newest first');
select is(pg_temp.page(:seller, null, 'infinity', null, 3), '5 4 3', 'so many of a seller');
select is(
    pg_temp.page(:seller, null, '2026-01-04', '0a000000-0000-4000-8000-000000000003', 9), '2 1', 'what comes after one'
);
select is(
    pg_temp.page(:seller, null, '2026-01-04', '0a000000-0000-4000-8000-000000000004', 9), '3 2 1',
    'of one moment, what has a smaller id'
);
select is(pg_temp.page(:buyer, 'created', 'infinity', null, 9), '5 4 3 1', 'of one status');
select is(pg_temp.page(:judge, null, 'infinity', null, 9), '3', 'of an arbitrator what was disputed');

select * from finish();
rollback;
