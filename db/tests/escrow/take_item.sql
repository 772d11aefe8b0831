begin;
select plan(7);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set judge '''0x00000000000000000000000000000000000000b3'''
\set stranger '''0x00000000000000000000000000000000000000b4'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key, created_at)
values
(:buyer, 'cHVi', now() - interval '30 days'), (:seller, 'cHVi', now() - interval '30 days'),
(:judge, 'cHVi', now() - interval '30 days'), (:stranger, 'cHVi', now() - interval '30 days');
insert into escrow.arbitrators (wallet, stake_amount, stake_token) values (:judge, 500, :judge);
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 30, 'hash');

select is(
    (select t.stock from escrow.take_item(:product, :buyer) as t), 30, 'who takes one is told what there was'
);
select is((select p.stock from escrow.products as p), 29, 'and one is gone');
insert into escrow.blacklist (wallet, reason) values (:seller, 'thief');
update escrow.user_profiles set updated_at = now();
select throws_ok(
    format('select escrow.take_item(%L, %L)', :product, :buyer), '42501', 'seller_wallet is blacklisted',
    'nobody buys from who is blacklisted'
);
delete from escrow.blacklist;
update escrow.user_profiles set updated_at = now();
update escrow.products set status = 'paused';
select is(
    (select t.status::text from escrow.take_item(:product, :buyer) as t), 'paused',
    'of what is paused nothing is taken, and who asked is told'
);
update escrow.products set stock = 0, status = 'active';
select is(
    (select t.status::text from escrow.take_item(:product, :buyer) as t), 'sold_out', 'nor where nothing is left'
);
select is((select p.stock from escrow.products as p), 0, 'so that there is never less than nothing');
select throws_ok(
    format('select escrow.take_item(%L, %L)', gen_random_uuid(), :buyer), 'PT404', 'there is no such product',
    'nor of what there is not'
);

select * from finish();
rollback;
