begin;
select plan(11);

\set seller '''0x00000000000000000000000000000000000000b2'''
\set other '''0x00000000000000000000000000000000000000b3'''
insert into escrow.user_profiles (wallet, public_key, display_name)
values (:seller, 'cHVi', 'Bea'), (:other, 'cHVi', null);
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash, status,
    created_at, deleted_at
)
select
    format('d0000000-0000-4000-8000-00000000000%s', p.n)::uuid as id,
    p.wallet as seller_wallet,
    'Title' as title_preview,
    'Text' as description_preview,
    'data' as category,
    10 as price_usdt,
    p.stock,
    'hash' as product_hash,
    p.status::escrow.product_status as status,
    timestamptz '2026-01-01' + p.day * interval '1 day' as created_at,
    case when p.status = 'deleted' then now() end as deleted_at
from (
    values
    (1, :seller, 1, 'active', 1), (2, :seller, 0, 'active', 2),
    -- Of one moment: the greater id comes first.
    (3, :seller, 1, 'paused', 3), (4, :seller, 1, 'active', 3),
    (5, :seller, 1, 'deleted', 4), (6, :other, 1, 'active', 5)
) as p (n, wallet, stock, status, day);
create function pg_temp.page(p_arguments text) returns text language plpgsql as $$
declare
    v_page text;
begin
    execute format(
        $f$select coalesce(string_agg(right(l.id::text, 1), '' order by l.place), '')
        from escrow.list_own_products('0x00000000000000000000000000000000000000b2'%s) with ordinality as l (
            id, seller_wallet, seller_display_name, seller_rating, title_preview, description_preview, category,
            price_usdt, stock, total_sold, product_hash, status, created_at, updated_at, place
        )$f$, p_arguments
    ) into v_page;
    return v_page;
end
$$;

select is(pg_temp.page(c.arguments), c.page, c.description)
from (
    values
    ('', '4321', 'one''s own products are listed, the newest first, but no deleted ones'),
    (', ''paused''', '3', 'those that are paused'),
    (', ''sold_out''', '2', 'those that are sold out'),
    (', ''deleted''', '', 'what is deleted is gone'),
    (', p_limit => 2', '43', 'a page at a time'),
    (', p_after => ''d0000000-0000-4000-8000-000000000004'', p_limit => 2', '32', 'then the next'),
    (', p_after => ''d0000000-0000-4000-8000-000000000005'', p_limit => 1', '4', 'also after one deleted since')
) as c (arguments, page, description);
select throws_ok(
    $$select pg_temp.page(', p_after => ''d0000000-0000-4000-8000-000000000006''')$$, '22023',
    'after must be a product of one''s own', 'not after one of somebody else'
);
select throws_ok(
    $$select pg_temp.page(', p_limit => 101')$$, '22023', 'limit must be between 1 and 100', 'a page has an end'
);
insert into escrow.blacklist (wallet, reason) values (:seller, 'thief');
set local role aqm_wallet;
select is(pg_temp.page(', ''paused'''), '4321', 'who is shut out still sees what they had');
set local role aqm_admin;
select throws_ok(
    format('select escrow.list_own_products(%L)', :seller), '42501',
    'permission denied for function list_own_products', 'nobody else may'
);

select * from finish();
rollback;
