begin;
select plan(15);

\set seller '''0x00000000000000000000000000000000000000b2'''
\set rogue '''0x00000000000000000000000000000000000000b3'''
\set hash '''0xabababababababababababababababababababababababababababababababab'''
insert into escrow.blacklist (wallet, reason) values (:rogue, 'fraud');
insert into escrow.user_profiles (wallet, public_key, display_name, rating_count, rating_sum)
values (:seller, 'cHVi', 'Bea', 2, 9), (:rogue, 'cHVi', null, 0, 0);

set local role aqm_wallet;
select results_eq(
    format(
        $$select
            seller_wallet, seller_display_name, seller_rating, title_preview, description_preview, category,
            price_usdt::text, stock, total_sold, product_hash, status::text, created_at, updated_at
        from escrow.create_product(%L, 'Title', 'Text', 'tools', 12.345678, %L, 3)$$, :seller, :hash
    ),
    format(
        $$values (
            %L, 'Bea', 4.50, 'Title', 'Text', 'tools'::escrow.product_category, '12.345678', 3, 0, %L, 'active', now(),
            now()
        )$$, :seller, :hash
    ),
    'a seller lists a product and sees it as everybody will'
);
select results_eq(
    format($$select stock from escrow.create_product(%L, 'Title', '', 'tools', 1, %L)$$, :seller, :hash),
    'values (1)', 'there is one of it where nothing else is said'
);
select results_eq(
    format($$select status::text from escrow.create_product(%L, 'Title', '', 'tools', 1, %L, 0)$$, :seller, :hash),
    $$values ('sold_out')$$, 'without stock it is sold out'
);
select
    throws_ok(
        format('select escrow.create_product(%L, %s)', :seller, bad.arguments), '22023',
        bad.field || ' must be there', format('%s is not null', bad.field)
    )
from (
    values
    ($$null, '', 'data', 1, '0x'$$, 'title_preview'),
    ($$'T', null, 'data', 1, '0x'$$, 'description_preview'),
    ($$'T', '', null, 1, '0x'$$, 'category'),
    ($$'T', '', 'data', null, '0x'$$, 'price_usdt'),
    ($$'T', '', 'data', 1, null$$, 'product_hash'),
    ($$'T', '', 'data', 1, '0x', null$$, 'stock')
) as bad (arguments, field);
select throws_ok(
    format($$select escrow.create_product(%L, 'T', '', 'data', 0.5, %L)$$, :seller, :hash), '22023',
    'price_usdt must be at least 1 and below 1000000000000, with at most 6 decimals', 'what is malformed is refused'
);
select throws_ok(
    format($$select escrow.create_product(%L, 'T', '', 'data', 1, %L)$$, :rogue, :hash), '42501',
    'seller_wallet is blacklisted', 'who is blacklisted sells nothing'
);
select throws_ok(
    format(
        $$select escrow.create_product('0x00000000000000000000000000000000000000ff', 'T', '', 'data', 1, %L)$$, :hash
    ),
    '22023', 'seller_wallet has no profile', 'nor does a stranger'
);
reset role;
select is((select count(*) from escrow.products), 3::bigint, 'refusals leave nothing behind');
select
    throws_ok(
        format(
            $$set local role %s; select escrow.create_product(%L, 'T', '', 'data', 1, %L)$$, other.role, :seller, :hash
        ), '42501', 'permission denied for function create_product', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_worker')) as other (role);

select * from finish();
rollback;
