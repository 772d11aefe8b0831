begin;
select plan(2);

\set seller '''0x00000000000000000000000000000000000000B2'''
\set other '''0x00000000000000000000000000000000000000b3'''
insert into escrow.user_profiles (wallet, public_key) values (:seller, 'cHVi'), (:other, 'cHVi');
insert into escrow.products (
    seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash, status, updated_at
)
select
    p.wallet as seller_wallet,
    p.title as title_preview,
    'Text' as description_preview,
    'data' as category,
    10 as price_usdt,
    p.stock,
    'hash' as product_hash,
    p.status::escrow.product_status as status,
    now() - interval '1 day' as updated_at
from (
    values
    (:seller, 'a', 1, 'active'), (:seller, 'b', 0, 'active'), (:seller, 'c', 1, 'paused'), (:seller, 'd', 1, 'deleted'),
    (:other, 'e', 1, 'active')
) as p (wallet, title, stock, status);

select escrow.pause_products(lower(:seller));
select results_eq(
    'select title_preview::text, status::text from escrow.products order by title_preview',
    $$values ('a', 'paused'), ('b', 'paused'), ('c', 'paused'), ('d', 'deleted'), ('e', 'active')$$,
    'what somebody sells is paused, sold out or not, but nothing that is deleted or another''s'
);
select is(
    (
        select string_agg(p.title_preview, '' order by p.title_preview)
        from escrow.products as p
        where p.updated_at = now()
    ), 'ab', 'what was paused is left alone'
);

select * from finish();
rollback;
