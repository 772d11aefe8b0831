begin;
select plan(22);

\set seller '''0x00000000000000000000000000000000000000b2'''
\set other '''0x00000000000000000000000000000000000000b3'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key) values (:seller, 'cHVi'), (:other, 'cHVi');
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash, updated_at
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 3, 'hash', '2026-01-01');
create function pg_temp.change(p_what text) returns setof escrow.product_view language plpgsql as $$
begin
    return query execute format(
        'select * from escrow.update_product(%L, ''0x00000000000000000000000000000000000000b2'', %s)',
        'd0000000-0000-4000-8000-000000000000', p_what
    );
end
$$;

set local role aqm_wallet;
select results_eq(
    format('select title_preview, updated_at from escrow.update_product(%L, %L)', :product, :seller),
    $$values ('Title', timestamptz '2026-01-01')$$, 'to change nothing changes nothing'
);
select
    results_eq(
        format(
            $$select (to_jsonb(p) ->> %L) from pg_temp.change('p_%s => %s') as p$$, new.field, new.field, new.literal
        ),
        format('values (%L)', new.result), format('%s may change', new.field)
    )
from (
    values
    ('title_preview', '''''New''''', 'New'),
    ('description_preview', '''''''''', ''),
    ('category', '''''other''''', 'other'),
    ('price_usdt', '1234.567891', '1234.567891'),
    ('stock', '7', '7'),
    ('product_hash', '''''0x' || repeat('ab', 32) || '''''', '0x' || repeat('ab', 32)),
    ('status', '''''paused''''', 'paused')
) as new (field, literal, result);
select results_eq(
    format(
        $$select
            title_preview, description_preview, category::text, price_usdt::text, stock, product_hash, status::text, updated_at
        from escrow.find_product(%L)$$, :product
    ),
    $$values ('New', '', 'other', '1234.567891', 7, '0x' || repeat('ab', 32), 'paused', now())$$,
    'and each left the others as they were'
);
select results_eq(
    $$select stock, status::text from pg_temp.change('p_stock => 0')$$, $$values (0, 'paused')$$,
    'what is paused stays so without stock'
);
select results_eq(
    $$select status::text from pg_temp.change('p_status => ''active''')$$, $$values ('sold_out')$$,
    'but what goes on sale without stock is sold out'
);
select results_eq(
    $$select status::text from pg_temp.change('p_stock => 2')$$, $$values ('active')$$, 'and on sale with new stock'
);
select
    throws_ok(
        format('select pg_temp.change(%L)', bad.what), '22023', bad.message, bad.description
    )
from (
    values
    ($$p_status => 'deleted'$$, 'status must be active or paused', 'deleting is another function'),
    ($$p_status => 'sold_out'$$, 'status must be active or paused', 'stock says what is sold out'),
    ('p_stock => -1', 'stock must be between 0 and 1000000', 'what is malformed is refused'),
    (
        $$p_title_preview => ''$$, 'title_preview must have 1 to 100 characters, none invisible and not all blank',
        'an empty title is malformed'
    )
) as bad (what, message, description);
select throws_ok(
    format('select escrow.update_product(%L, %L, p_stock => 99)', :product, :other), '42501',
    'seller_wallet is not the seller of this product', 'nobody else changes it'
);
select is_empty(
    format('select escrow.update_product(gen_random_uuid(), %L, p_stock => 99)', :seller),
    'what there is not stays away'
);
reset role;
select is((select p.stock from escrow.products as p), 2, 'refusals change nothing');
update escrow.products set deleted_at = now(), status = 'deleted';
select is_empty($$select pg_temp.change('p_status => ''active''')$$, 'nobody brings back what was deleted');
insert into escrow.blacklist (wallet, reason) values (:seller, 'fraud');
update escrow.user_profiles set updated_at = now();
select throws_ok(
    $$select pg_temp.change('p_stock => 1')$$, '42501', 'seller_wallet is blacklisted',
    'who is blacklisted changes nothing'
);
set local role aqm_anon;
select throws_ok(
    format('select escrow.update_product(%L, %L)', :product, :seller), '42501',
    'permission denied for function update_product', 'nor does nobody'
);

select * from finish();
rollback;
