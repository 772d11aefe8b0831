begin;
select plan(10);

\set seller '''0x00000000000000000000000000000000000000b2'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key, display_name, rating_count, rating_sum)
values (:seller, 'cHVi', 'Bea', 3, 14);
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, total_sold, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10.1, 3, 5, 'hash');

set local role aqm_anon;
select results_eq(
    format(
        $$select
            seller_wallet, seller_display_name, seller_rating, title_preview, description_preview, category::text,
            price_usdt::text, stock, total_sold, product_hash, status::text
        from escrow.find_product(%L)$$, :product
    ),
    format($$values (%L, 'Bea', 4.67, 'Title', 'Text', 'data', '10.100000', 3, 5, 'hash', 'active')$$, :seller),
    'everybody sees a product and its seller'
);
reset role;
select
    lives_ok(
        format('set local role %s; select escrow.find_product(%L)', who.role, :product),
        format('%s among them', who.role)
    )
from (values ('aqm_wallet'), ('aqm_admin')) as who (role);
reset role;
select is_empty('select escrow.find_product(gen_random_uuid())', 'what there is not nobody sees');
update escrow.products set status = 'paused';
select results_eq(
    format('select status::text from escrow.find_product(%L)', :product),
    $$values ('paused')$$,
    'one that is paused is shown'
);
update escrow.products set status = 'active', stock = 0;
select results_eq(
    format('select status::text from escrow.find_product(%L)', :product), $$values ('sold_out')$$, 'and one sold out'
);
insert into escrow.blacklist (wallet, reason) values (:seller, 'fraud');
update escrow.user_profiles set updated_at = now();
select is_empty(format('select escrow.find_product(%L)', :product), 'nothing is shown of who is blacklisted');
delete from escrow.blacklist;
update escrow.user_profiles set updated_at = now(), display_name = null, rating_count = 0, rating_sum = 0;
select results_eq(
    format('select seller_display_name, seller_rating from escrow.find_product(%L)', :product),
    'values (null::text, null::numeric)', 'a seller may be without a name and a rating'
);
update escrow.products set status = 'deleted', deleted_at = now();
select is_empty(format('select escrow.find_product(%L)', :product), 'what was deleted is gone');
set local role aqm_worker;
select throws_ok(
    format('select escrow.find_product(%L)', :product), '42501', 'permission denied for function find_product',
    'who follows the chains has no part in it'
);

select * from finish();
rollback;
