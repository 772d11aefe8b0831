begin;
select plan(33);

\set seller '''0x00000000000000000000000000000000000000b2'''
\set other '''0x00000000000000000000000000000000000000b3'''
insert into escrow.user_profiles (wallet, public_key, display_name) values (:seller, 'cHVi', 'Bea'),
(:other, 'cHVi', null);
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, product_hash, created_at
)
select
    format('d0000000-0000-4000-8000-00000000000%s', p.n)::uuid as id,
    p.wallet as seller_wallet,
    p.title as title_preview,
    p.description as description_preview,
    p.category::escrow.product_category as category,
    p.price as price_usdt,
    'hash' as product_hash,
    now() - p.n * interval '1 day' as created_at
from (
    values
    (1, :seller, 'Red Box', 'with a lid', 'data', 10),
    (2, :seller, 'Green', 'a red one is 100% sold', 'tools', 20),
    (3, :other, 'UNDER_SCORE', 'and back\slash', 'tools', 30.5),
    (4, :other, 'Größe', 'Привет', 'other', 40)
) as p (n, wallet, title, description, category, price);
create function pg_temp.found(p_arguments text default '') returns text language plpgsql as $$
declare
    v_found text;
begin
    execute format(
        'select string_agg(right(p.id::text, 1), '''' order by p.place)'
        ' from escrow.search_products(%s) with ordinality as p ('
        ' id, wallet, name, rating, title, description, category, price, stock, sold, hash, status, created, updated, place)',
        p_arguments
    ) into v_found;
    return coalesce(v_found, '');
end
$$;

set local role aqm_anon;
select results_eq(
    $$select seller_wallet, seller_display_name, title_preview, price_usdt::text, status::text
    from escrow.search_products()$$,
    format(
        $$values
        (%1$L, 'Bea', 'Red Box', '10.000000', 'active'), (%1$L, 'Bea', 'Green', '20.000000', 'active'),
        (%2$L, null, 'UNDER_SCORE', '30.500000', 'active'), (%2$L, null, 'Größe', '40.000000', 'active')$$, :seller, :other
    ),
    'everybody sees what is on sale, the newest first'
);
select is(pg_temp.found(fit.arguments), fit.found, fit.description)
from (
    values
    ($$'red'$$, '12', 'a keyword is looked for in title and description, in whatever case'),
    ($$'box with'$$, '1', 'over the end of the title'),
    ($$'100%'$$, '2', 'a percent sign is one'),
    ($$'100_'$$, '', 'and an underscore'),
    ($$'r_sco'$$, '3', 'where it stands'),
    ($$'r%sco'$$, '', 'and nothing else'),
    ($$'ack\sla'$$, '3', 'and so is a backslash'),
    ($$'größe'$$, '4', 'letters have their accents'),
    ($$'ПРИВЕТ'$$, '4', 'and their alphabet'),
    ($$'none'$$, '', 'what there is not is not found'),
    ($$p_category => 'tools'$$, '23', 'only of a category'),
    ('p_min_price => 20', '234', 'from a price'),
    ('p_max_price => 30.5', '123', 'up to a price'),
    ('p_min_price => 20, p_max_price => 20', '2', 'of one price'),
    (format('p_seller_wallet => %L', '0x00000000000000000000000000000000000000b3'), '34', 'of one seller'),
    ($$'red', 'tools', 15, 25, '0x00000000000000000000000000000000000000b2'$$, '2', 'all of it together'),
    ('p_limit => 2', '12', 'a page at a time'),
    ($$p_after => 'd0000000-0000-4000-8000-000000000002'$$, '34', 'the next page begins after the last one seen'),
    ($$'red', p_after => 'd0000000-0000-4000-8000-000000000001'$$, '2', 'also among those with a keyword'),
    ($$p_after => 'd0000000-0000-4000-8000-000000000004'$$, '', 'after the last there is none')
) as fit (arguments, found, description);
select
    throws_ok(
        format('select escrow.search_products(%s)', bad.arguments), '22023', bad.message, bad.description
    )
from (
    values
    ('p_limit => 0', 'limit must be between 1 and 100', 'a page has a row'),
    ('p_limit => 101', 'limit must be between 1 and 100', 'and no more than a hundred'),
    ('p_limit => null', 'limit must be between 1 and 100', 'and an end'),
    (
        '''ab''', 'keyword must have at most 100 characters, and somewhere 3 letters or digits in a row',
        'two letters are too few'
    ),
    (
        '''eD B''', 'keyword must have at most 100 characters, and somewhere 3 letters or digits in a row',
        'they stand in a row'
    ),
    (
        '''%%%''', 'keyword must have at most 100 characters, and somewhere 3 letters or digits in a row',
        'signs are no letters'
    ),
    (
        'repeat(''x'', 101)', 'keyword must have at most 100 characters, and somewhere 3 letters or digits in a row',
        'nobody looks for a novel'
    ),
    ('p_min_price => 2, p_max_price => 1', 'min_price must not be above max_price', 'prices are from low to high'),
    ('p_after => gen_random_uuid()', 'after must be the id of a product', 'a page begins after a product')
) as bad (arguments, message, description);
select lives_ok('select escrow.search_products(repeat(''x'', 100), p_limit => 100)', 'a hundred of each are allowed');
reset role;
update escrow.products set status = 'paused'
where price_usdt = 10;
select is(
    pg_temp.found($$p_after => 'd0000000-0000-4000-8000-000000000001'$$), '234',
    'a page may begin after what is not on sale any more'
);
insert into escrow.blacklist (wallet, reason) values (:other, 'fraud');
update escrow.user_profiles set updated_at = now();
select is(pg_temp.found(), '2', 'what is paused or of a blacklisted seller is not shown');

select * from finish();
rollback;
