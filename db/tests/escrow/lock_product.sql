begin;
select plan(6);

\set seller '''0x00000000000000000000000000000000000000b2'''
\set other '''0x00000000000000000000000000000000000000b3'''
\set rogue '''0x00000000000000000000000000000000000000b4'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.blacklist (wallet, reason) values (:rogue, 'fraud');
insert into escrow.user_profiles (wallet, public_key) values (:seller, 'cHVi'), (:other, 'cHVi'), (:rogue, 'cHVi');
insert into escrow.products (id, seller_wallet, title_preview, description_preview, category, price_usdt, product_hash)
values (:product, :seller, 'Title', 'Text', 'data', 10, 'hash');

select ok(escrow.lock_product(:product, :seller), 'a seller has the product');
select ok(not escrow.lock_product(gen_random_uuid(), :seller), 'what there never was nobody has');
select throws_ok(
    format('select escrow.lock_product(%L, %L)', :product, :other), '42501',
    'seller_wallet is not the seller of this product', 'somebody else''s product is none of theirs'
);
select throws_ok(
    format('select escrow.lock_product(%L, %L)', :product, :rogue), '42501', 'seller_wallet is blacklisted',
    'who is blacklisted has no product'
);
select throws_ok(
    format('select escrow.lock_product(%L, null)', :product), '22023', 'seller_wallet has no profile',
    'and nobody is nobody'
);
update escrow.products set deleted_at = now(), status = 'deleted';
select ok(not escrow.lock_product(:product, :seller), 'a product that was deleted is gone');

select * from finish();
rollback;
