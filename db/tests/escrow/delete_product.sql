begin;
select plan(9);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key) values (:buyer, 'cHVi'), (:seller, 'cHVi');
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 3, 'hash');
insert into escrow.orders (
    onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, tx_hash_create
)
values (1, 'bsc', :buyer, :seller, :product, 'USDT', 10, 0.2, 'tx');

set local role aqm_wallet;
select throws_ok(
    format('select escrow.delete_product(%L, %L)', :product, :buyer), '42501',
    'seller_wallet is not the seller of this product', 'nobody deletes what somebody else sells'
);
select isnt_empty(format('select escrow.find_product(%L)', :product), 'it is still there');
select lives_ok(format('select escrow.delete_product(%L, %L)', :product, :seller), 'its seller does');
select is_empty(format('select escrow.find_product(%L)', :product), 'then nobody sees it');
select throws_ok(
    format('select escrow.delete_product(%L, %L)', :product, :seller), 'PT404', 'there is no such product',
    'it is deleted once'
);
reset role;
select results_eq(
    'select status::text, deleted_at, title_preview::text from escrow.products', $$values ('deleted', now(), 'Title')$$,
    'what is stored stays'
);
update escrow.orders set status = 'cancelled';
select results_eq(
    'select status::text, stock from escrow.products', $$values ('deleted', 4)$$,
    'an order goes on, and what it gives back does not bring the product back'
);
insert into escrow.blacklist (wallet, reason) values (:seller, 'fraud');
update escrow.user_profiles set updated_at = now();
update escrow.products set status = 'active', deleted_at = null;
select throws_ok(
    format('select escrow.delete_product(%L, %L)', :product, :seller), '42501', 'seller_wallet is blacklisted',
    'who is blacklisted takes no step'
);
set local role aqm_anon;
select throws_ok(
    format('select escrow.delete_product(%L, %L)', :product, :seller), '42501',
    'permission denied for function delete_product', 'nor does nobody'
);

select * from finish();
rollback;
