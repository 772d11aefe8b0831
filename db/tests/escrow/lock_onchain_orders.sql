begin;
select plan(4);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set other '''0x00000000000000000000000000000000000000b3'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key)
values (:buyer, 'cHVi'), (:seller, 'cHVi'), (:other, 'cHVi');
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 3, 'hash');
create function pg_temp.make_order(p_number bigint, p_buyer text) returns void language sql as $$
    insert into escrow.orders (
        onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, tx_hash_create
    )
    values (
        p_number, 'bsc', p_buyer, '0x00000000000000000000000000000000000000b2',
        'd0000000-0000-4000-8000-000000000000', 'USDT', 10, 0.2, 'tx'
    )
$$;

select pg_temp.make_order(1, :buyer);
select pg_temp.make_order(2, :other);
create function pg_temp.locks() returns bigint language sql as $$
    select count(*) from pg_locks as l where l.locktype = 'advisory' and l.pid = pg_backend_pid()
$$;
select pg_temp.locks() as locks \gset
select lives_ok($$select escrow.lock_onchain_orders('base', '{1,2}')$$, 'orders that have no row here are no fault');
select is(
    (select count(*) filter (where o.xmax <> '0')::integer from escrow.orders as o), 0,
    'orders of another chain are left alone'
);
select escrow.lock_onchain_orders('bsc', '{2,7}');
select is(pg_temp.locks(), :locks + 3::bigint, 'numbers are locked though their rows may come later');
select results_eq(
    $$select o.onchain_order_id from escrow.orders as o
    where o.xmax <> '0'$$,
    $$values (2::bigint)$$,
    'a row that is there is locked'
);

select * from finish();
rollback;
