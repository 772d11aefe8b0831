begin;
select plan(7);

\ir setup/orders.sql

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
