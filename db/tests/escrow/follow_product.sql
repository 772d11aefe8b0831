begin;
select plan(8);

\set seller '''0x00000000000000000000000000000000000000b2'''
insert into escrow.user_profiles (wallet, public_key) values (:seller, 'cHVi');
create function pg_temp.add(p_status text, p_stock integer) returns text language sql as $$
    insert into escrow.products (
        seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash, status
    )
    values (
        '0x00000000000000000000000000000000000000b2', 'Title', 'Text', 'data', 10, p_stock, 'hash',
        p_status::escrow.product_status
    )
    returning status::text
$$;

select is(pg_temp.add('active', 0), 'sold_out', 'a product that begins without stock is sold out');
select is(pg_temp.add('sold_out', 2), 'active', 'one that has stock is not');
select is(pg_temp.add('paused', 0), 'paused', 'one that is paused is paused');
delete from escrow.products;
select pg_temp.add('active', 1);
update escrow.products set stock = 0;
select is((select p.status::text from escrow.products as p), 'sold_out', 'the last one that goes makes it sold out');
update escrow.products set total_sold = 1;
select is((select p.status::text from escrow.products as p), 'sold_out', 'which it stays');
update escrow.products set stock = 1;
select is((select p.status::text from escrow.products as p), 'active', 'until one comes back');
update escrow.products set status = 'paused';
update escrow.products set stock = 0;
update escrow.products set stock = 1;
select is((select p.status::text from escrow.products as p), 'paused', 'what its seller paused stays paused');
update escrow.products set status = 'deleted';
update escrow.products set stock = 0;
update escrow.products set stock = 1;
select is((select p.status::text from escrow.products as p), 'deleted', 'what was deleted stays deleted');

select * from finish();
rollback;
