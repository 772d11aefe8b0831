begin;
select plan(7);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
insert into escrow.user_profiles (wallet, public_key, created_at)
values (:buyer, 'cHVi', now() - interval '30 days'), (:seller, 'cHVi', now() - interval '30 days');
insert into escrow.products (
    seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:seller, 'Title', 'Text', 'data', 51, 30, 'hash');
create function pg_temp.check() returns void language sql as $$
    select escrow.check_sale(p, '0x00000000000000000000000000000000000000b1') from escrow.products as p
$$;

select lives_ok('select pg_temp.check()', 'what is active can be bought');
update escrow.products set status = 'paused';
select throws_ok('select pg_temp.check()', 'PT409', 'the product is paused', 'what is paused can not');
update escrow.products set stock = 0;
select throws_ok('select pg_temp.check()', 'PT409', 'the product is sold out', 'nor what is sold out, paused or not');
update escrow.products set status = 'deleted';
select throws_ok('select pg_temp.check()', 'PT404', 'there is no such product', 'nor what is deleted');
update escrow.products set stock = 1, status = 'active', deleted_at = now();
select throws_ok('select pg_temp.check()', 'PT404', 'there is no such product', 'however that was noted');
update escrow.products set deleted_at = null;
update escrow.user_profiles set created_at = now();
select throws_ok(
    'select pg_temp.check()', 'PT409', 'a new seller''s orders have at most 50 USDT', 'nor what is dear, of new sellers'
);
update escrow.products set price_usdt = 50;
select lives_ok('select pg_temp.check()', 'who may sell what is not');

select * from finish();
rollback;
