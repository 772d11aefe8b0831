begin;
select plan(13);

\set seller '''0x00000000000000000000000000000000000000b2'''
\set rogue '''0x00000000000000000000000000000000000000b3'''
insert into escrow.blacklist (wallet, reason) values (:rogue, 'fraud');
insert into escrow.user_profiles (wallet, public_key) values (:seller, 'cHVi'), (:rogue, 'cHVi');
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash, status, created_at
)
select
    format('d0000000-0000-4000-8000-00000000000%s', p.n)::uuid as id,
    coalesce(p.wallet, :seller) as seller_wallet,
    p.title as title_preview,
    'Text' as description_preview,
    p.category::escrow.product_category as category,
    p.price as price_usdt,
    p.stock,
    'hash' as product_hash,
    coalesce(p.status, 'active')::escrow.product_status as status,
    timestamptz '2026-01-01' + p.day * interval '1 day' as created_at
from (
    values
    (1, 'Red', 'data', 10, 1, 1, null, null),
    (2, 'Green', 'data', 20, 2, 1, null, null),
    -- Of one moment: the greater id comes first.
    (3, 'Red', 'tools', 30, 3, 1, null, null),
    (4, 'Blue', 'tools', 40, 3, 1, null, null),
    (5, 'Red', 'data', 50, 4, 1, 'paused', null),
    (6, 'Red', 'data', 60, 5, 0, null, null),
    (7, 'Red', 'data', 70, 6, 1, 'deleted', null),
    (8, 'Red', 'data', 80, 7, 1, null, :rogue)
) as p (n, title, category, price, day, stock, status, wallet);
create function pg_temp.page(p_arguments text) returns text language plpgsql as $$
declare
    v_page text;
begin
    execute format(
        $f$select array(select right(i.id::text, 1) from unnest(p.ids) with ordinality as i (id, place) order by i.place)::text
            || case when p.is_cut then ' …' else '' end
        from escrow.page_products(%s) as p$f$, p_arguments
    ) into v_page;
    return v_page;
end
$$;

select is(
    pg_temp.page('null, null, null, null, null, null, null, 9, 9'), '{4,3,2,1}',
    'what is on sale, by who is not blacklisted, the newest first'
);
select is(pg_temp.page('null, null, null, null, null, null, null, 2, 9'), '{4,3}', 'at most so many');
select
    is(
        pg_temp.page('''%red%'', null, null, null, null, null, null, 9, ' || coalesce(way.depth::text, 'null')),
        way.page, way.description
    )
from (
    values
    (9, '{3,1}', 'a pattern is found among as many as there are'),
    (null, '{3,1}', 'and the same by the index'),
    (5, '{3,1} …', 'where the depth ends with the last, there might be more'),
    (4, '{3} …', 'beyond the depth nothing is found'),
    (6, '{3,1}', 'all were seen')
) as way (depth, page, description);
select is(
    pg_temp.page('''%red%'', null, null, null, null, null, null, 1, 5'), '{3}', 'a full page looks no further'
);
select is(pg_temp.page(fit.arguments), fit.page, fit.description)
from (
    values
    ('null, ''tools'', null, null, null, null, null, 9, 9', '{4,3}', 'of a category'),
    ('null, null, 20, 30, null, null, null, 9, 9', '{3,2}', 'of a price between two, both included'),
    (
        'null, null, null, null, ''0x00000000000000000000000000000000000000b9'', null, null, 9, 9', '{}',
        'of a seller'
    ),
    (
        'null, null, null, null, null, ''2026-01-04'', ''d0000000-0000-4000-8000-000000000004'', 9, 9', '{3,2,1}',
        'after another, also of the same moment'
    ),
    (
        '''%RE%'', ''data'', null, 15, null, ''2026-01-04'', ''d0000000-0000-4000-8000-000000000004'', 9, null', '{1}',
        'all of it together'
    )
) as fit (arguments, page, description);

select * from finish();
rollback;
